package server

import "sync"

// parcelSize is how many bytes a parcel takes in; one packet of more than that goes into a single parcel all the same.
const parcelSize = 64 << 10

// parcel is some of the bytes that wait to be written to a client.
type parcel struct {
	b    []byte
	next *parcel
}

// parcels is a queue of bytes. It holds memory only as long as there are any, and what is in it already is not copied
// when it grows.
type parcels struct {
	first, last *parcel
	size        int // in bytes
}

// add puts a copy of b behind the rest. Parcels that are not used are in the pool.
func (q *parcels) add(pool *sync.Pool, b []byte) {
	if len(b) == 0 {
		return
	}
	if q.last == nil || len(q.last.b)+len(b) > parcelSize {
		p, _ := pool.Get().(*parcel)
		if p == nil {
			p = new(parcel)
		}
		q.append(p, p)
	}
	q.last.b = append(q.last.b, b...)
	q.size += len(b)
}

// append puts a chain of parcels behind the rest.
func (q *parcels) append(first, last *parcel) {
	if q.last == nil {
		q.first = first
	} else {
		q.last.next = first
	}
	q.last = last
}

// move takes all of another queue behind the rest.
func (q *parcels) move(from *parcels) {
	if from.first != nil {
		q.append(from.first, from.last)
		q.size += from.size
		*from = parcels{}
	}
}

// take removes the first parcel, nil when there is none.
func (q *parcels) take() *parcel {
	p := q.first
	if p == nil {
		return nil
	}
	if q.first = p.next; q.first == nil {
		q.last = nil
	}
	p.next = nil
	q.size -= len(p.b)
	return p
}

// release lets go of a parcel that was taken.
func (p *parcel) release(pool *sync.Pool) {
	if cap(p.b) <= 2*parcelSize {
		p.b = p.b[:0]
		pool.Put(p)
	}
}
