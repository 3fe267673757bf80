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

// isSafe says whether a queen behind those on the board is safe there.
func (b *board) isSafe(row int8) bool {
	for i := int8(0); i < b.queens; i++ {
		apart := b.queens - i
		if b.row[i] == row || b.row[i] == row-apart ||
			b.row[i] == row+apart {
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
		if b.isSafe(row) {
			f(&next)
		}
	}
}

// solve finds all solutions that begin with a board: the next queen moves up;
// where it is safe it stays and another one comes behind it, and where it can
// move no more the one before it moves.
func (b board) solve(size int8, f func(b *board)) {
	begin := b.queens
	row := int8(0)
	for {
		if row == size {
			if b.queens == begin {
				return
			}
			b.queens--
			row = b.row[b.queens]
		} else if b.isSafe(row) {
			b.row[b.queens] = row
			b.queens++
			if b.queens < size {
				row = 0
				continue
			}
			f(&b)
			b.queens--
		}
		row++
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
		whole := msg.board.queens == m.size
		msg.board.queens--
		check(whole && msg.board.isSafe(msg.board.row[msg.board.queens]),
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
