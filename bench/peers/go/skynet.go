// SPDX-License-Identifier: BSD-2-Clause

package main

// bench/savina/skynet.c: a tree of goroutines, ten below each, which send their
// sums up on a channel of the parent's.

const skynetChildren = 10

func skynetNode(parent chan<- int64, first, leaves int64) {
	if leaves == 1 {
		parent <- first
		return
	}
	sums := make(chan int64, skynetChildren)
	leaves /= skynetChildren
	for i := int64(0); i < skynetChildren; i++ {
		go skynetNode(sums, first+i*leaves, leaves)
	}
	var sum int64
	for i := 0; i < skynetChildren; i++ {
		sum += <-sums
	}
	parent <- sum
}

func skynet(size []int64) int64 {
	leaves := size[0]
	result := make(chan int64)
	go skynetNode(result, 0, leaves)
	check(<-result == leaves*(leaves-1)/2,
		"skynet: the sum of all leaves' numbers")
	return leaves
}
