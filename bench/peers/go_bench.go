// SPDX-License-Identifier: BSD-2-Clause

// The eight workloads of bench/micro with goroutines and channels.
//
//	go build go_bench.go
//	GOMAXPROCS=2 ./go_bench pingpong 2000000
//
// Each workload runs once in a fresh process and prints one line; see README.md
// for its form and for the sizes.  Channels are bounded (1024), so count, nto1
// and fjthrput are back-pressured here.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

type Msg struct {
	id int
	a  int64
	p  chan Msg
}

var t0 time.Time
var bench string
var N int64

func done(ops int64) {
	d := time.Since(t0).Seconds()
	fmt.Printf("go %s %d ops %.3f s %.1f ns/op\n", bench, ops, d, d*1e9/float64(ops))
	os.Exit(0)
}
func fib(n int64, out chan int64) {
	if n < 2 {
		out <- n
		return
	}
	c := make(chan int64, 2)
	go fib(n-1, c)
	go fib(n-2, c)
	out <- (<-c + <-c)
}
func main() {
	bench = os.Args[1]
	N, _ = strconv.ParseInt(os.Args[2], 10, 64)
	t0 = time.Now()
	switch bench {
	case "pingpong":
		a := make(chan Msg, 16)
		b := make(chan Msg, 16)
		go func() {
			for m := range b {
				a <- Msg{1, m.a, b}
			}
		}()
		for i := int64(0); i < N; i++ {
			b <- Msg{0, i, a}
			<-a
		}
		done(2 * N)
	case "count":
		c := make(chan Msg, 1024)
		r := make(chan int64)
		go func() {
			var n int64
			for m := range c {
				if m.id == 0 {
					n++
				} else {
					r <- n
					return
				}
			}
		}()
		for i := int64(0); i < N; i++ {
			c <- Msg{0, i, nil}
		}
		c <- Msg{1, 0, nil}
		if <-r != N {
			panic(1)
		}
		done(N)
	case "nto1":
		c := make(chan Msg, 1024)
		for i := 0; i < 64; i++ {
			go func() {
				for j := int64(0); j < N; j++ {
					c <- Msg{0, j, nil}
				}
			}()
		}
		for i := int64(0); i < 64*N; i++ {
			<-c
		}
		done(64 * N)
	case "ring":
		K := 100
		cs := make([]chan Msg, K)
		for i := range cs {
			cs[i] = make(chan Msg, 1)
		}
		d := make(chan bool)
		for i := range cs {
			i := i
			go func() {
				for m := range cs[i] {
					if m.a == 0 {
						d <- true
						return
					}
					cs[(i+1)%K] <- Msg{0, m.a - 1, nil}
				}
			}()
		}
		cs[0] <- Msg{0, N, nil}
		<-d
		done(N)
	case "fjthrput":
		K := 60
		d := make(chan bool, K)
		cs := make([]chan Msg, K)
		for i := range cs {
			i := i
			cs[i] = make(chan Msg, 1024)
			go func() {
				var x float64 = 0.5
				for n := N; n > 0; n-- {
					<-cs[i]
					x = x * x
				}
				d <- true
			}()
		}
		for j := int64(0); j < N; j++ {
			for i := range cs {
				cs[i] <- Msg{}
			}
		}
		for i := 0; i < K; i++ {
			<-d
		}
		done(60 * N)
	case "fjcreate":
		d := make(chan bool, 1024)
		for i := int64(0); i < N; i++ {
			c := make(chan Msg, 1)
			go func() { <-c; d <- true }()
			c <- Msg{}
			select {
			case <-d:
				i = i
			default:
			}
			_ = c
		}
		done(N)
	case "big":
		K := 120
		cs := make([]chan Msg, K)
		d := make(chan bool, K)
		for i := range cs {
			cs[i] = make(chan Msg, 4096)
		}
		for i := range cs {
			i := i
			go func() {
				rng := uint64(i*7919 + 1)
				n := N
				nxt := func() int { rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17; return int(rng % uint64(K)) }
				cs[nxt()] <- Msg{0, 0, cs[i]}
				for m := range cs[i] {
					if m.id == 0 {
						m.p <- Msg{1, 0, nil}
					} else {
						n--
						if n == 0 {
							d <- true
						} else if n > 0 {
							cs[nxt()] <- Msg{0, 0, cs[i]}
						}
					}
				}
			}()
		}
		for i := 0; i < K; i++ {
			<-d
		}
		done(120 * N)
	case "fib":
		c := make(chan int64, 1)
		go fib(N, c)
		r := <-c
		var a, b int64 = 1, 1
		for i := int64(2); i <= N; i++ {
			a, b = b, 1+a+b
		}
		fmt.Printf("fib=%d ", r)
		done(b)
	}
}
