package config

import "os"

type Config struct {
	MongoURI string
	DBType   string
}

func Load() Config {
	return Config{MongoURI: os.Getenv("MONGODB_URI"), DBType: os.Getenv("DB_TYPE")}
}
