package main
import "go.mongodb.org/mongo-driver/mongo/options"
func f() {
	o := options.Client().ApplyURI("mongodb://db:27017").SetRetryWrites(true).SetDirect(true) // !! connection db:27017 !! retry-writes SetRetryWrites
	p := options.Client().SetHosts([]string{"db.internal:27017"}) // !! connection db.internal:27017
	q := options.Client().SetTLSConfig(&tls.Config{InsecureSkipVerify: true}) // !! tls-unverified InsecureSkipVerify
	s := fmt.Sprintf("mongodb://%s:%s@%s:27017/x", u, p, h) // !! connection a%MongoDB%server
}
