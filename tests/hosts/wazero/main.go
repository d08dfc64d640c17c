// A host whose calls are those of goroutines. It says what it did.
//
//	host WAY COUNT MORE
//	  moves   COUNT goroutines make MORE calls each that go on on another thread, as far as there is one
//	  grows   COUNT goroutines each make a call whose stack moves, with another call in it
//	  panics  COUNT calls that are left by a panic, and one that returns
//	  ends    COUNT goroutines that end in a call, one after the other, and as many that make a call deeper in their stack
//	  exits   COUNT guests that call proc_exit, on one goroutine
//	  yields  COUNT calls that do nothing
//	  open    COUNT goroutines are in a call when the process ends
//	  killed  the process is killed in a call
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

var background = context.Background()

// guest has an array of one buffer of 11 bytes at 8, and room for a number at 32.
func guest() *wasi.Instance {
	memory := make([]byte, 65536)
	memory[8], memory[12] = 64, 11
	return &wasi.Instance{Memory: &wasi.Memory{Bytes: memory}}
}

func call(ctx context.Context, f wasi.Function, mod wasi.Module, params ...uint64) uint64 {
	stack := append(params, 0)
	f.Call(ctx, mod, stack)
	return stack[0]
}

// moves lets each call wait for a goroutine that keeps a thread busy, so that another thread takes the call up.
func moves(count, more int) {
	var all sync.WaitGroup
	var moved int64
	for i := 0; i < count; i++ {
		all.Add(1)
		fd := uint64(i%10 + 100)
		go func() {
			defer all.Done()
			e := &wasi.Elsewhere{Ask: make(chan struct{}), Answer: make(chan struct{})}
			go func() {
				for range e.Ask {
					for n := 0; n < 2000; n++ {
						atomic.AddInt64(&moved, 0)
					}
					e.Answer <- struct{}{}
				}
			}()
			ctx, mod := wasi.With(e), guest()
			for n := 0; n < more; n++ {
				before := syscall.Gettid()
				if errno := call(ctx, wasi.FdWrite, mod, fd, 8, 1, 32); errno != 0 {
					panic(errno)
				}
				if syscall.Gettid() != before {
					atomic.AddInt64(&moved, 1)
				}
			}
			close(e.Ask)
		}()
	}
	all.Wait()
	fmt.Println("moved", moved)
}

func grows(count int) {
	wasi.Inner = func() { call(background, wasi.SchedYield, guest()) }
	var all sync.WaitGroup
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if errno := call(background, wasi.FdRead, guest(), 4, 8, 500, 32); errno != 8 {
				panic(errno)
			}
		}()
	}
	all.Wait()
}

func caught(f wasi.Function, params ...uint64) {
	defer func() { recover() }()
	call(background, f, guest(), params...)
}

//go:noinline
func deeper(depth int) byte {
	var frame [256]byte
	if depth == 0 {
		call(background, wasi.SchedYield, guest())
		return 0
	}
	return deeper(depth-1) + frame[depth]
}

func ends(count int) {
	for i := 0; i < count; i++ {
		for _, f := range []func(){
			func() { call(background, wasi.FdClose, guest(), 9) },
			func() { deeper(40) },
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				f()
			}()
			<-done
		}
	}
}

func open(count int) {
	var in sync.WaitGroup
	for i := 0; i < count; i++ {
		in.Add(1)
		go func() {
			e := &wasi.Elsewhere{Ask: make(chan struct{}), Answer: make(chan struct{})}
			go func() {
				<-e.Ask
				in.Done()
			}()
			call(wasi.With(e), wasi.FdWrite, guest(), 1, 8, 1, 32)
		}()
	}
	in.Wait()
}

func main() {
	runtime.GOMAXPROCS(4)
	number := func(index int) int {
		n, err := strconv.Atoi(os.Args[index])
		if err != nil {
			panic(err)
		}
		return n
	}
	count := number(2)
	switch os.Args[1] {
	case "moves":
		moves(count, number(3))
	case "grows":
		grows(count)
	case "panics":
		for i := 0; i < count; i++ {
			caught(wasi.FdSync, 5)
		}
		call(background, wasi.SchedYield, guest())
	case "ends":
		ends(count)
	case "exits":
		for i := 0; i < count; i++ {
			caught(wasi.ProcExit, 3)
		}
		call(background, wasi.SchedYield, guest())
	case "yields":
		mod, stack := guest(), make([]uint64, 1)
		for i := 0; i < count; i++ {
			wasi.SchedYield.Call(background, mod, stack)
		}
	case "open":
		open(count)
	case "killed":
		call(background, wasi.RandomGet, guest())
	default:
		panic(os.Args[1])
	}
}
