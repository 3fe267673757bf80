// SPDX-License-Identifier: BSD-2-Clause

package main

// bench/savina/chameneos.c: creatures and the mall are goroutines with a
// channel each.  A creature waits for one answer at a time, so nobody ever
// waits to hand it one.

type mallKind int8

const (
	mallMeet mallKind = iota
	mallChange
	mallFade
	mallMet
)

const mallColors = 3

type mallMsg struct {
	kind   mallKind
	color  int8
	count  int64
	sender chan mallMsg
}

// creature meets others until it fades, then says how often it met one.
func creature(mall chan<- mallMsg, color int8) {
	var count int64
	me := make(chan mallMsg, 1)
	for {
		mall <- mallMsg{mallMeet, color, 0, me}
		msg := <-me
		switch msg.kind {
		case mallMeet:
			check(msg.sender != me, "chameneos: somebody else")
			color = (2*mallColors - color - msg.color) % mallColors
			msg.sender <- mallMsg{mallChange, color, 0, me}
		case mallChange:
			color = msg.color
		case mallFade:
			mall <- mallMsg{mallMet, color, count, me}
			return
		}
		count++
	}
}

func chameneos(size []int64) int64 {
	meetings, creatures := size[0], size[1]
	mall := make(chan mallMsg, 1024)
	for i := int64(0); i < creatures; i++ {
		go creature(mall, int8(i%mallColors))
	}
	var waiting chan mallMsg
	var sum int64
	for left := meetings; creatures > 0; {
		msg := <-mall
		switch {
		case msg.kind == mallMet:
			sum += msg.count
			creatures--
		case left == 0:
			msg.sender <- mallMsg{kind: mallFade}
		case waiting == nil:
			waiting = msg.sender
		default:
			left--
			waiting <- msg
			waiting = nil
		}
	}
	check(sum == 2*meetings, "chameneos: two for a meeting")
	return meetings
}
