// SPDX-License-Identifier: BSD-2-Clause

package main

// bench/savina/banking.c: an account is a goroutine with a channel, which is
// what it does not look into while it waits for the answer of another one, so
// nothing has to be put aside.  Money goes to accounts of higher number only,
// so nobody waits in a circle, though channels are bounded.

const (
	bankSeed         = 123456
	bankAmountMax    = 100000
	bankFirstBalance = int64(1000000000)
	bankInbox        = 64
)

// bankOrder is a transfer to another account or, without one, a deposit.
type bankOrder struct {
	to    chan bankOrder
	cents int64
	done  chan bool
}

type bankTransfer struct{ from, to, cents int64 }

func (r *random) transfer(accounts int64) (t bankTransfer) {
	t.from = r.next() % (accounts / 10 * 8)
	further := r.next() % (accounts - t.from)
	if further == 0 {
		further = 1
	}
	t.to = t.from + further
	t.cents = bankAmountMax / (1 + r.next())
	return t
}

func account(inbox chan bankOrder, balance *int64, closed chan bool) {
	mine := bankFirstBalance
	deposited := make(chan bool, 1)
	for order := range inbox {
		if order.to != nil {
			mine -= order.cents
			order.to <- bankOrder{nil, order.cents, deposited}
			<-deposited
		} else {
			mine += order.cents
		}
		order.done <- true
	}
	*balance = mine
	closed <- true
}

func bankExpected(transfers, accounts int64) []int64 {
	expected := make([]int64, accounts)
	for i := range expected {
		expected[i] = bankFirstBalance
	}
	r := random(bankSeed)
	for i := int64(0); i < transfers; i++ {
		t := r.transfer(accounts)
		expected[t.from] -= t.cents
		expected[t.to] += t.cents
	}
	return expected
}

func banking(size []int64) int64 {
	transfers, count := size[0], size[1]
	check(count >= 10, "banking: at least 10 accounts")
	expected := bankExpected(transfers, count)
	balances := make([]int64, count)
	closed := make(chan bool)

	begin()
	accounts := make([]chan bankOrder, count)
	for i := range accounts {
		accounts[i] = make(chan bankOrder, bankInbox)
		go account(accounts[i], &balances[i], closed)
	}
	done := make(chan bool, bankInbox)
	go func() {
		r := random(bankSeed)
		for i := int64(0); i < transfers; i++ {
			t := r.transfer(count)
			accounts[t.from] <- bankOrder{accounts[t.to], t.cents, done}
		}
	}()
	for i := int64(0); i < transfers; i++ {
		<-done
	}
	end()

	for i := range accounts {
		close(accounts[i])
	}
	for range accounts {
		<-closed
	}
	for i := range balances {
		check(balances[i] == expected[i], "banking: an account's balance")
	}
	return transfers
}
