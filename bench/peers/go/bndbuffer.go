// SPDX-License-Identifier: BSD-2-Clause

package main

import "math"

// bench/savina/bndbuffer.c: the manager is the buffer, a goroutine with a
// channel, as are producers and consumers.  (For this alone one would take a
// channel with room for that many items; but the benchmark is about the
// protocol.)  Each worker has one message under way at most.

type bufferKind int8

const (
	bufferItem bufferKind = iota
	bufferAvailable
	bufferFinished
	bufferConsumed
)

type item struct {
	number int64
	data   float64
}

type bufferMsg struct {
	kind    bufferKind
	item    item
	produce chan bool // the producer's, to be told to go on
	consume chan item // the consumer's
	items   int64     // of a consumer that leaves: how many it had,
	numbers int64     // and their sum
}

func process(data float64, cost int64) float64 {
	r := random(cost)
	for i := int64(0); i < cost*100; i++ {
		data += math.Log(1.0/float64(r.next()+1) + 0.01)
	}
	return data
}

func producer(manager chan<- bufferMsg, me chan bool, number, items,
	cost int64) {
	var data float64
	for i := int64(0); i < items; i++ {
		<-me
		data = process(data, cost)
		manager <- bufferMsg{kind: bufferItem, produce: me,
			item: item{number*items + i, data}}
	}
	<-me
	manager <- bufferMsg{kind: bufferFinished}
}

func consumer(manager chan<- bufferMsg, me chan item, cost int64) {
	var data float64
	var items, numbers int64
	for item := range me {
		items++
		numbers += item.number
		data = process(data+item.data, cost)
		manager <- bufferMsg{kind: bufferAvailable, consume: me}
	}
	manager <- bufferMsg{kind: bufferConsumed, items: items,
		numbers: numbers}
}

type bufferManager struct {
	room       int
	heldBackAt int // that many items wait: producers do, too
	pending    []item
	producers  []chan bool // that wait
	consumers  []chan item // that wait
}

func (m *bufferManager) item(msg bufferMsg) {
	if len(m.consumers) > 0 {
		m.consumers[0] <- msg.item
		m.consumers = m.consumers[1:]
	} else {
		check(len(m.pending) < m.room, "bndbuffer: bounded")
		m.pending = append(m.pending, msg.item)
	}
	if len(m.pending) < m.heldBackAt {
		msg.produce <- true
	} else {
		m.producers = append(m.producers, msg.produce)
	}
}

func (m *bufferManager) available(msg bufferMsg) {
	if len(m.pending) == 0 {
		m.consumers = append(m.consumers, msg.consume)
		return
	}
	msg.consume <- m.pending[0]
	m.pending = m.pending[1:]
	if len(m.producers) > 0 {
		m.producers[0] <- true
		m.producers = m.producers[1:]
	}
}

// leave tells all consumers to, and returns what they have had.
func (m *bufferManager) leave(in <-chan bufferMsg) (items, numbers int64) {
	for _, c := range m.consumers {
		close(c)
	}
	for range m.consumers {
		msg := <-in
		items += msg.items
		numbers += msg.numbers
	}
	return items, numbers
}

func bndbuffer(size []int64) int64 {
	each, room, producers, consumers := size[0], size[1], size[2], size[3]
	in := make(chan bufferMsg, producers+consumers)
	m := bufferManager{room: int(room), heldBackAt: int(room - producers)}
	for i := int64(0); i < consumers; i++ {
		c := make(chan item, 1)
		m.consumers = append(m.consumers, c)
		go consumer(in, c, size[5])
	}
	for i := int64(0); i < producers; i++ {
		p := make(chan bool, 1)
		p <- true
		go producer(in, p, i, each, size[4])
	}
	left := producers
	for left > 0 || int64(len(m.consumers)) < consumers {
		switch msg := <-in; msg.kind {
		case bufferItem:
			m.item(msg)
		case bufferAvailable:
			m.available(msg)
		case bufferFinished:
			left--
		}
	}
	items, numbers := m.leave(in)
	made := producers * each
	check(items == made, "bndbuffer: as many items used up as made")
	check(numbers == made*(made-1)/2, "bndbuffer: each item used up, once,")
	return made
}
