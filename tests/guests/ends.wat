;; Writes $writes times 5 bytes to descriptor 1, then ends: by a trap if $trap is 1, else by
;; proc_exit($code).
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit"
    (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (global $writes i32 (i32.const 10))
  (global $trap i32 (i32.const 0))
  (global $code i32 (i32.const 0))
  (data (i32.const 64) "hello")
  (func (export "_start") (local $left i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (local.set $left (global.get $writes))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (if (global.get $trap) (then unreachable))
    (call $proc_exit (global.get $code))))
