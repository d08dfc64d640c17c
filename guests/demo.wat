;; Writes 10,000 lines of 20 bytes to standard output, and one to a descriptor that is not open.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "a line of 20 bytes.\n")
  (func (export "_start") (local $left i32)
    ;; one iovec: 20 bytes at 64
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 20))
    (local.set $left (i32.const 10000))
    (loop $next
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $next (local.get $left)))
    (drop (call $fd_write (i32.const 77) (i32.const 0) (i32.const 1) (i32.const 16)))))
