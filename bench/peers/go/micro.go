// SPDX-License-Identifier: BSD-2-Clause

package main

// The eight workloads of bench/micro.  Channels are bounded (1024), so count,
// nto1 and fjthrput are back-pressured here.

type msg struct {
	id    int
	a     int64
	reply chan msg
}

func pingpong(size []int64) int64 {
	n := size[0]
	a := make(chan msg, 16)
	b := make(chan msg, 16)
	go func() {
		for m := range b {
			m.reply <- msg{1, m.a, b}
		}
	}()
	for i := int64(0); i < n; i++ {
		b <- msg{0, i, a}
		check((<-a).a == i, "pingpong: the pong of each ping")
	}
	return 2 * n
}

func count(size []int64) int64 {
	n := size[0]
	c := make(chan msg, 1024)
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
	for i := int64(0); i < n; i++ {
		c <- msg{0, i, nil}
	}
	c <- msg{1, 0, nil}
	check(<-r == n, "count: every message")
	return n
}

func nto1(size []int64) int64 {
	n := size[0]
	c := make(chan msg, 1024)
	for i := 0; i < 64; i++ {
		go func() {
			for j := int64(0); j < n; j++ {
				c <- msg{0, j, nil}
			}
		}()
	}
	var sum int64
	for i := int64(0); i < 64*n; i++ {
		sum += (<-c).a
	}
	check(sum == 32*n*(n-1), "nto1: every message, once")
	return 64 * n
}

func ring(size []int64) int64 {
	const actors = 100
	hops := size[0]
	cs := make([]chan msg, actors)
	for i := range cs {
		cs[i] = make(chan msg, 1)
	}
	done := make(chan int)
	for i := range cs {
		go func(i int) {
			for m := range cs[i] {
				if m.a == 0 {
					done <- i
					return
				}
				cs[(i+1)%actors] <- msg{0, m.a - 1, nil}
			}
		}(i)
	}
	cs[0] <- msg{0, hops, nil}
	check(int64(<-done) == hops%actors, "ring: every hop")
	return hops
}

func fjthrput(size []int64) int64 {
	const actors = 60
	n := size[0]
	done := make(chan float64, actors)
	cs := make([]chan msg, actors)
	for i := range cs {
		c := make(chan msg, 1024)
		cs[i] = c
		go func() {
			x := 0.5
			for n := n; n > 0; n-- {
				<-c
				x = x * x
			}
			done <- x
		}()
	}
	for j := int64(0); j < n; j++ {
		for i := range cs {
			cs[i] <- msg{}
		}
	}
	for range cs {
		<-done
	}
	return actors * n
}

func fjcreate(size []int64) int64 {
	n := size[0]
	done := make(chan bool, 1024)
	go func() {
		for i := int64(0); i < n; i++ {
			c := make(chan msg, 1)
			go func() { <-c; done <- true }()
			c <- msg{}
		}
	}()
	for i := int64(0); i < n; i++ {
		<-done
	}
	return n
}

// bigActor pings a random other n times, and answers the pings of others.
func bigActor(i int, n int64, cs []chan msg, done chan bool) {
	rng := uint64(i*7919 + 1)
	ping := func() {
		rng ^= rng << 13
		rng ^= rng >> 7
		rng ^= rng << 17
		cs[rng%uint64(len(cs))] <- msg{0, 0, cs[i]}
	}
	ping()
	for m := range cs[i] {
		if m.id == 0 {
			m.reply <- msg{1, 0, nil}
		} else if n--; n == 0 {
			done <- true
		} else {
			ping()
		}
	}
}

func big(size []int64) int64 {
	const actors = 120
	cs := make([]chan msg, actors)
	done := make(chan bool, actors)
	for i := range cs {
		cs[i] = make(chan msg, 4096)
	}
	for i := range cs {
		go bigActor(i, size[0], cs, done)
	}
	for range cs {
		<-done
	}
	return actors * size[0]
}

func fibNode(n int64, out chan int64) {
	if n < 2 {
		out <- n
		return
	}
	c := make(chan int64, 2)
	go fibNode(n-1, c)
	go fibNode(n-2, c)
	out <- <-c + <-c
}

func fib(size []int64) int64 {
	out := make(chan int64, 1)
	go fibNode(size[0], out)
	var a, b, nodesA, nodesB int64 = 0, 1, 1, 1
	for i := int64(1); i <= size[0]; i++ {
		a, b = b, a+b
		nodesA, nodesB = nodesB, 1+nodesA+nodesB
	}
	check(<-out == a, "fib: the nth number")
	return nodesA
}
