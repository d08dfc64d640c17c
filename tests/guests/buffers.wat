;; Writes empty buffers to descriptor 1: first $few of them, then $many; the first two have 3 and 4 bytes.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $few i32 (i32.const 64))
  (global $many i32 (i32.const 65))
  (data (i32.const 1024) "\00\10\00\00\03\00\00\00\00\10\00\00\04\00\00\00")
  (data (i32.const 4096) "abcd")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 1024) (global.get $few) (i32.const 0)))
    (drop (call $fd_write (i32.const 1) (i32.const 1024) (global.get $many) (i32.const 0)))))
