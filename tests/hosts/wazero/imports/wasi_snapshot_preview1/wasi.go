// Package wasi_snapshot_preview1 has functions with the names and types that those of wazero have, and does in them what
// makes calls of goroutines hard to follow. It shares no code with wazero.
package wasi_snapshot_preview1

import (
	"context"
	"os"
	"runtime"
	"syscall"
)

// Module is what a call gets of the guest: *Instance.
type Module interface{ Name() string }

// Instance has the memory of the guest where wazero's *ModuleInstance has it.
type Instance struct {
	name    string
	exports map[string]int
	globals []int
	Memory  *Memory
}

// Memory begins with the guest's bytes.
type Memory struct{ Bytes []byte }

// Name is there so that this is a Module.
func (i *Instance) Name() string { return i.name }

// Errno is not the errno of WASI: Call translates it.
type Errno uint16

// Func is a WASI function.
type wasiFunc func(ctx context.Context, mod Module, params []uint64) Errno

// Function is what the guest calls.
type Function interface {
	Call(ctx context.Context, mod Module, stack []uint64)
}

// Call puts the errno of WASI into the first cell.
//
//go:noinline
func (f wasiFunc) Call(ctx context.Context, mod Module, stack []uint64) {
	if errno := f(ctx, mod, stack); errno == 0 {
		stack[0] = 0
	} else {
		stack[0] = uint64(errno) + 5
	}
}

type moduleFunc func(ctx context.Context, mod Module, params []uint64)

func (f moduleFunc) Call(ctx context.Context, mod Module, stack []uint64) { f(ctx, mod, stack) }

// Those of this program.
var (
	FdWrite    Function = wasiFunc(fdWriteFn)
	FdRead     Function = wasiFunc(fdReadFn)
	FdSync     Function = wasiFunc(fdSyncFn)
	FdClose    Function = wasiFunc(fdCloseFn)
	SchedYield Function = wasiFunc(schedYieldFn)
	RandomGet  Function = wasiFunc(randomGetFn)
	ProcExit   Function = moduleFunc(procExitFn)
)

// Null takes what calls write.
var Null, _ = os.OpenFile("/dev/null", os.O_WRONLY, 0)

// Inner is a call that fd_read makes.
var Inner func()

// Elsewhere is closed when a call may go on, on a thread of its own.
type Elsewhere struct{ Ask, Answer chan struct{} }

type elsewhere struct{}

// With gives a call the way to another goroutine.
func With(e *Elsewhere) context.Context {
	return context.WithValue(context.Background(), elsewhere{}, e)
}

func write(length uint64) {
	if _, err := syscall.Write(int(Null.Fd()), make([]byte, length)); err != nil {
		panic(err)
	}
}

// It makes a system call, goes on when another goroutine has run, and makes another system call.
//
//go:noinline
func fdWriteFn(ctx context.Context, mod Module, params []uint64) Errno {
	write(3)
	if e, _ := ctx.Value(elsewhere{}).(*Elsewhere); e != nil {
		e.Ask <- struct{}{}
		<-e.Answer
	}
	runtime.Gosched()
	write(4)
	memory := mod.(*Instance).Memory.Bytes
	memory[params[3]] = 7
	return 0
}

//go:noinline
func grow(depth int) byte {
	var frame [512]byte
	frame[depth%512] = 1
	if depth > 0 {
		frame[0] += grow(depth - 1)
	}
	return frame[depth%512]
}

// Its stack moves, as often as it has to grow, and it makes another call in between.
//
//go:noinline
func fdReadFn(ctx context.Context, mod Module, params []uint64) Errno {
	grow(int(params[2]))
	if Inner != nil {
		Inner()
	}
	grow(2 * int(params[2]))
	return 3
}

// It panics.
//
//go:noinline
func fdSyncFn(ctx context.Context, mod Module, params []uint64) Errno {
	panic("from a call")
}

// It ends its goroutine.
//
//go:noinline
func fdCloseFn(ctx context.Context, mod Module, params []uint64) Errno {
	runtime.Goexit()
	return 0
}

var yields int

//go:noinline
func schedYieldFn(ctx context.Context, mod Module, params []uint64) Errno {
	yields++
	return 0
}

// The process ends in it.
//
//go:noinline
func randomGetFn(ctx context.Context, mod Module, params []uint64) Errno {
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	return 0
}

//go:noinline
func procExitFn(ctx context.Context, mod Module, params []uint64) {
	panic(int(params[0]))
}
