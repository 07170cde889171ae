package main

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

func main() {
	pool, _ := pgxpool.New(context.Background(), os.Getenv("DATABASE_URL"))
	cache := redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR")})
	_, _ = pool, cache
}
