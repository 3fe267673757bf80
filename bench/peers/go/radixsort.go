// SPDX-License-Identifier: BSD-2-Clause

package main

// bench/savina/radixsort.c: a goroutine for each bit.  A stage passes values
// without its bit on at once and keeps those with it until all have come by.

const (
	radixSeed = 2048
	radixRoom = 1024
)

func radixStage(in <-chan int64, bit, values int64) <-chan int64 {
	out := make(chan int64, radixRoom)
	go func() {
		kept := make([]int64, 0, values)
		for i := int64(0); i < values; i++ {
			if v := <-in; v&bit == 0 {
				out <- v
			} else {
				kept = append(kept, v)
			}
		}
		for _, v := range kept {
			out <- v
		}
	}()
	return out
}

func radixSource(values int64) <-chan int64 {
	out := make(chan int64, radixRoom)
	go func() {
		r := random(radixSeed)
		for i := int64(0); i < values; i++ {
			out <- r.next()
		}
	}()
	return out
}

func radixsort(size []int64) int64 {
	values, bits := size[0], size[1]
	var sum, last int64
	r := random(radixSeed)
	for i := int64(0); i < values; i++ {
		sum += r.next()
	}

	begin()
	pipe := radixSource(values)
	for bit := int64(0); bit < bits; bit++ {
		pipe = radixStage(pipe, 1<<bit, values)
	}
	for i := int64(0); i < values; i++ {
		v := <-pipe
		check(v >= last, "radixsort: the values in order")
		last = v
		sum -= v
	}
	end()
	check(sum == 0, "radixsort: the sum of the values")
	return values * (bits + 1)
}
