// Package chaos is a test of sleigh as a whole: masters and workers are processes, Redis is a real one, and all of them are
// killed, stopped and cut off from each other at random while jobs run, whose results have to be right all the same.
//
//	go test ./sleigh/chaos -v -chaos.for=10m -chaos.seed=7
//
// The seed decides what is done when, and which jobs there are; without one a new one is taken, and told. What was done is
// logged, a line each.
package chaos
