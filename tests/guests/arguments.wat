;; Calls with arguments that a test knows, on the file `data` of its directory (descriptor 3), whose
;; descriptor it takes from path_open. Each call is made once, but for fd_read: once while the file is
;; open, once after it was closed.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0: buffers of 5 and 2 bytes, 16: one of 7 bytes, 80: the descriptor, 84 and 88: results
  (data (i32.const 0) "\64\00\00\00\05\00\00\00\64\00\00\00\02\00\00\00\e8\03\00\00\07\00\00\00")
  (data (i32.const 100) "hello")
  (data (i32.const 200) "datamissing")
  ;; A path of 200 bytes that leads nowhere.
  (data (i32.const 300) "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")
  (data (i32.const 400) "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 84)))
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 200) (i32.const 4) (i32.const 0)
      (i64.const 0x2006) (i64.const 0x40) (i32.const 0) (i32.const 80)))
    (drop (call $fd_read (i32.load (i32.const 80)) (i32.const 16) (i32.const 1) (i32.const 84)))
    (drop (call $fd_seek (i32.load (i32.const 80)) (i64.const -3) (i32.const 1) (i32.const 88)))
    (drop (call $fd_close (i32.load (i32.const 80))))
    (drop (call $fd_read (i32.load (i32.const 80)) (i32.const 16) (i32.const 1) (i32.const 84)))
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 204) (i32.const 7) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)))
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 300) (i32.const 200) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 4) (i32.const 80)))
    (drop (call $random_get (i32.const 2000) (i32.const 33)))
    (drop (call $clock_time_get (i32.const 1) (i64.const 1000000000000) (i32.const 88)))))
