// SPDX-License-Identifier: BSD-2-Clause

package main

// bench/savina/nqueenk.c: a master and workers.  The workers take boards from
// one channel, as a pool of goroutines does; the master keeps the boards that
// it has no room for, for it must never wait for those who wait for it.

const queensMax = 16

type board struct {
	queens int8
	row    [queensMax]int8
}

type queensKind int8

const (
	queensWork queensKind = iota
	queensSolution
	queensDone
	queensFinished
)

type queensMsg struct {
	kind  queensKind
	board board
}

var queensKnown = [queensMax + 1]int64{1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724,
	2680, 14200, 73712, 365596, 2279184, 14772512}

// isSafe says whether the last queen is safe from those before it.
func (b *board) isSafe() bool {
	last := b.queens - 1
	row := b.row[last]
	for i := int8(0); i < last; i++ {
		if b.row[i] == row || b.row[i] == row-(last-i) ||
			b.row[i] == row+(last-i) {
			return false
		}
	}
	return true
}

// each calls f with all boards that have one queen more.
func (b *board) each(size int8, f func(b *board)) {
	next := *b
	next.queens++
	for row := int8(0); row < size; row++ {
		next.row[b.queens] = row
		if next.isSafe() {
			f(&next)
		}
	}
}

// solve finds all solutions that begin with a board: the last queen moves up,
// and where it can move no more it goes.
func (b board) solve(size int8, f func(b *board)) {
	begin := b.queens
	b.row[b.queens] = 0
	b.queens++
	for b.queens > begin {
		last := b.queens - 1
		if b.row[last] == size {
			b.queens--
			if b.queens > begin {
				b.row[b.queens-1]++
			}
		} else if !b.isSafe() {
			b.row[last]++
		} else if b.queens < size {
			b.row[b.queens] = 0
			b.queens++
		} else {
			f(&b)
			b.row[last]++
		}
	}
}

func queensWorker(in <-chan board, out chan<- queensMsg, size, threshold int8) {
	for b := range in {
		if b.queens < threshold {
			b.each(size, func(b *board) {
				out <- queensMsg{queensWork, *b}
			})
		} else {
			b.solve(size, func(b *board) {
				out <- queensMsg{queensSolution, *b}
			})
		}
		out <- queensMsg{kind: queensDone}
	}
	out <- queensMsg{kind: queensFinished}
}

type queensMaster struct {
	in               chan queensMsg
	out              chan board
	pending          []board
	boards, working  int64
	solutions, limit int64
	workers          int64 // that have not finished
	size             int8
	finish, closed   bool
}

func (m *queensMaster) receive(msg queensMsg) {
	switch msg.kind {
	case queensWork:
		if !m.finish {
			m.boards++
			m.working++
			m.pending = append(m.pending, msg.board)
		}
	case queensSolution:
		check(msg.board.queens == m.size && msg.board.isSafe(),
			"nqueenk: a solution with all queens")
		m.solutions++
		m.finish = m.finish || m.solutions == m.limit
	case queensDone:
		m.working--
		m.finish = m.finish || m.working == 0
	case queensFinished:
		m.workers--
	}
}

func (m *queensMaster) run() {
	for m.workers > 0 {
		if len(m.pending) > 0 {
			select {
			case m.out <- m.pending[0]:
				m.pending = m.pending[1:]
			case msg := <-m.in:
				m.receive(msg)
			}
			continue
		}
		if m.finish && !m.closed {
			m.closed = true
			close(m.out)
		}
		m.receive(<-m.in)
	}
}

func nqueenk(size []int64) int64 {
	m := queensMaster{
		in:      make(chan queensMsg, 1024),
		out:     make(chan board, 1024),
		size:    int8(size[0]),
		workers: size[2],
		limit:   size[3],
	}
	check(size[0] <= queensMax && size[1] <= size[0], "nqueenk: a board")
	for i := int64(0); i < size[2]; i++ {
		go queensWorker(m.out, m.in, m.size, int8(size[1]))
	}
	m.receive(queensMsg{kind: queensWork})
	m.run()
	most := queensKnown[m.size]
	check(m.solutions >= m.limit || m.solutions == most,
		"nqueenk: as many solutions as wanted, or all,")
	check(m.solutions <= most, "nqueenk: no more solutions than there are")
	return m.boards + m.solutions
}
