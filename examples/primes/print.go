package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// print writes the result as one line of text or JSON.
func (c *command) print(w io.Writer, primes []int, took time.Duration, redis string) error {
	if !c.json {
		_, err := fmt.Fprintln(w, summary(primes, c.Limit))
		return err
	}
	few := min(len(primes), 3)
	return json.NewEncoder(w).Encode(struct {
		Count   int     `json:"count"`
		First   []int   `json:"first"`
		Last    []int   `json:"last"`
		Limit   int     `json:"limit"`
		Chunk   int     `json:"chunk"`
		Workers int     `json:"workers"`
		Tasks   int     `json:"tasks"`
		Seconds float64 `json:"seconds"`
		Redis   string  `json:"redis"`
	}{
		len(primes), primes[:few], primes[len(primes)-few:], c.Limit, c.Chunk,
		c.workers, c.tasks(), float64(took.Milliseconds()) / 1000, redis,
	})
}

// summary says how many primes there are, with the first three and the last three of them, or all where they are few.
func summary(primes []int, limit int) string {
	list := func(primes []int) string { return strings.Trim(fmt.Sprint(primes), "[]") }
	switch n := len(primes); {
	case n == 0:
		return fmt.Sprintf("0 primes below %d", limit)
	case n == 1:
		return fmt.Sprintf("1 prime below %d: %d", limit, primes[0])
	case n <= 6:
		return fmt.Sprintf("%d primes below %d: %s", n, limit, list(primes))
	default:
		return fmt.Sprintf("%d primes below %d: %s … %s", n, limit, list(primes[:3]), list(primes[n-3:]))
	}
}
