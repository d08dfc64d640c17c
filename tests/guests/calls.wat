;; Makes each kind of call a known number of times. Tests set the counts below.
;;
;; $writes  fd_write   of 5 bytes in one iovec to descriptor 1, then one to 77, which is not open
;; $opens   path_open  of "data" below descriptor 3, each closed again, then $missing of "missing"
;; $reads   fd_read    of 16 bytes of "data", opened once more; the file has as many; then one fd_seek
;; $clocks  clock_time_get, and as many random_get of 8 bytes
;; and one fd_close of 99, which is not open; ends by proc_exit(0).
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek"
    (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close"
    (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get"
    (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit"
    (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (global $writes i32 (i32.const 1000))
  (global $opens i32 (i32.const 10))
  (global $missing i32 (i32.const 3))
  (global $reads i32 (i32.const 100))
  (global $clocks i32 (i32.const 7))
  ;; 0: iovec to write, 8: iovec to read, 16: bytes moved, 32: time and offset
  ;; 24: the opened descriptor; 1000, which is not open, until one is
  (data (i32.const 24) "\e8\03")
  (data (i32.const 64) "hello")
  (data (i32.const 80) "data")
  (data (i32.const 96) "missing")

  ;; Opens the path of $length bytes at $path for reading: right fd_read (1 << 1) and fd_seek (1 << 2).
  (func $open (param $path i32) (param $length i32)
    (drop (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $length)
      (i32.const 0) (i64.const 6) (i64.const 0) (i32.const 0) (i32.const 24))))
  (func $close_opened
    (drop (call $fd_close (i32.load (i32.const 24)))))

  (func (export "_start") (local $left i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (i32.store (i32.const 8) (i32.const 128))
    (i32.store (i32.const 12) (i32.const 16))

    (local.set $left (global.get $writes))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (drop (call $fd_write (i32.const 77) (i32.const 0) (i32.const 1) (i32.const 16)))

    (local.set $left (global.get $opens))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (call $open (i32.const 80) (i32.const 4))
      (call $close_opened)
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (local.set $left (global.get $missing))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (call $open (i32.const 96) (i32.const 7))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))

    (call $open (i32.const 80) (i32.const 4))
    (local.set $left (global.get $reads))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (drop (call $fd_read (i32.load (i32.const 24)) (i32.const 8) (i32.const 1) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (drop (call $fd_seek (i32.load (i32.const 24)) (i64.const 0) (i32.const 0) (i32.const 32)))
    (call $close_opened)

    (local.set $left (global.get $clocks))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 32)))
      (drop (call $random_get (i32.const 128) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))

    (drop (call $fd_close (i32.const 99)))
    (call $proc_exit (i32.const 0))))
