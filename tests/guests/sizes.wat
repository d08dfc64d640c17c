;; Writes to descriptor 1 once with each size from 1 to $largest bytes, and then $empty times nothing.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $largest i32 (i32.const 100))
  (global $empty i32 (i32.const 0))
  (func (export "_start") (local $size i32) (local $left i32)
    (i32.store (i32.const 0) (i32.const 64))
    (local.set $size (i32.const 1))
    (loop $next
      (i32.store (i32.const 4) (local.get $size))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (local.set $size (i32.add (local.get $size) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $size) (global.get $largest))))
    (i32.store (i32.const 4) (i32.const 0))
    (local.set $left (global.get $empty))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))))
