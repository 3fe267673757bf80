// SPDX-License-Identifier: BSD-2-Clause

// Benchmarks of bench/ with goroutines and channels.
//
//	go build -o go_bench *.go
//	GOMAXPROCS=2 ./go_bench pingpong 2000000
//	GOMAXPROCS=2 ./go_bench banking 50000,1000
//
// Each runs once in a fresh process, checks its result and prints one line; see
// ../README.md for its form and for the sizes.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A benchmark does its work for a size and returns how many operations it was.
type benchmark struct {
	params int
	run    func(size []int64) int64
}

var benchmarks = map[string]benchmark{
	"pingpong":  {1, pingpong},
	"count":     {1, count},
	"nto1":      {1, nto1},
	"ring":      {1, ring},
	"fjthrput":  {1, fjthrput},
	"fjcreate":  {1, fjcreate},
	"big":       {1, big},
	"fib":       {1, fib},
	"banking":   {2, banking},
	"bndbuffer": {6, bndbuffer},
	"chameneos": {2, chameneos},
	"nqueenk":   {4, nqueenk},
	"radixsort": {2, radixsort},
	"skynet":    {1, skynet},
}

var began, ended time.Time

// begin is called by those that make their input first, end by those that look
// through their output afterwards.
func begin() { began = time.Now() }
func end()   { ended = time.Now() }

// check ends the program unless the result is right.
func check(ok bool, what string) {
	if !ok {
		fail(what + " expected")
	}
}

func fail(why string) {
	fmt.Println("failed", why)
	os.Exit(1)
}

// random is the suite's own generator of numbers from 0 to 65535.
type random uint64

func (r *random) next() int64 {
	*r = (*r*1309 + 13849) & 65535
	return int64(*r)
}

func numbers(text string) (list []int64) {
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < 0 {
			fail("size: a whole number expected, not " + field)
		}
		list = append(list, n)
	}
	return list
}

func main() {
	if len(os.Args) != 3 {
		fail("arguments: NAME SIZE expected")
	}
	name, size := os.Args[1], numbers(os.Args[2])
	b, there := benchmarks[name]
	check(there, "the name of a benchmark")
	check(len(size) == b.params, fmt.Sprint(b.params, " parameters"))
	begin()
	ops := b.run(size)
	if ended.IsZero() {
		end()
	}
	d := ended.Sub(began).Seconds()
	fmt.Printf("go %s %d ops %.6f s %.1f ns/op\n", name, ops, d,
		d*1e9/float64(ops))
}
