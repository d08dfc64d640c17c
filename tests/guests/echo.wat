;; Copies its standard input to its standard output: fd_read of up to $chunk bytes, then fd_write of what
;; came, until fd_read brings nothing. Ends by returning from _start.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $chunk i32 (i32.const 1))
  ;; 0: iovec to read, 8: iovec to write, 16: bytes moved, 1024: the bytes
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (global.get $chunk))
    (i32.store (i32.const 8) (i32.const 1024))
    (loop $next
      (i32.store (i32.const 16) (i32.const 0))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
      (if (i32.load (i32.const 16))
        (then
          (i32.store (i32.const 12) (i32.load (i32.const 16)))
          (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
          (br $next))))))
