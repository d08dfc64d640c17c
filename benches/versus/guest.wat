;; A run in three steps: tells that it runs, waits until it may go on, and calls.
;;
;; 1. fd_write of byte 1 to descriptor 2, then fd_read of one byte from descriptor 0
;; 2. fd_write of one byte to descriptor 1, $calls times; the harness sets how often. With $stepped it is
;;    environ_sizes_get instead
;; 3. fd_write of byte 2 to descriptor 2
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $calls i32 (i32.const 1000))
  (global $stepped i32 (i32.const 0))
  ;; Four vectors of one byte each, at 0, 8, 16 and 24: byte 1, byte 2, what is written, what is read.
  (data (i32.const 0) "\30\00\00\00\01\00\00\00")
  (data (i32.const 8) "\31\00\00\00\01\00\00\00")
  (data (i32.const 16) "\32\00\00\00\01\00\00\00")
  (data (i32.const 24) "\33\00\00\00\01\00\00\00")
  (data (i32.const 48) "\01\02x")

  (func (export "_start") (local $left i32)
    (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 40)))
    (drop (call $fd_read (i32.const 0) (i32.const 24) (i32.const 1) (i32.const 40)))
    (local.set $left (global.get $calls))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (if (global.get $stepped)
          (then (drop (call $environ_sizes_get (i32.const 56) (i32.const 60))))
          (else (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 40)))))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (drop (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 40)))))
