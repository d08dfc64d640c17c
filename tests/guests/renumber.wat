;; Opens `data` in its directory (descriptor 3), gives it the number of the next file that it opens, `other`,
;; by fd_renumber, and asks both numbers for their position.
(module
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 200) "dataother")
  (func (export "_start")
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 200) (i32.const 4) (i32.const 0)
      (i64.const 0x26) (i64.const 0) (i32.const 0) (i32.const 80)))
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 204) (i32.const 5) (i32.const 0)
      (i64.const 0x26) (i64.const 0) (i32.const 0) (i32.const 84)))
    (drop (call $fd_tell (i32.load (i32.const 84)) (i32.const 88)))
    (drop (call $fd_renumber (i32.load (i32.const 80)) (i32.load (i32.const 84))))
    (drop (call $fd_tell (i32.load (i32.const 84)) (i32.const 88)))
    (drop (call $fd_tell (i32.load (i32.const 80)) (i32.const 88)))))
