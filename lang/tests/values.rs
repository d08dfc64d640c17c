//! What values, tuples, loops and functions become.

mod machine;

use ewapa_lang::plan::{MapValue, SlotKind};
use ewapa_lang::types::Type;
use ewapa_lang::{Compiled, Environment, compile, render};
use expect_test::{Expect, expect};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wamr"],
    host: Some(&Machine),
    arguments: &["5", "abc"],
    allows_unsafe: true,
    ..Environment::EMPTY
};

fn compiled(text: &str) -> Compiled {
    machine::compiled(text, &ENVIRONMENT)
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&compiled(text).plan.to_string());
}

#[test]
fn averages_and_extremes_are_read_from_what_all_cpus_share() {
    let text = "wasi:* { @a[func] = avg(duration); @m = min(fd); if (@a[func] > 1ms) { $x = @m + 1; @n[@m] = (uint64)@m; } }";
    check(
        text,
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key func
                slot 0 of duration
                slot 1 of duration
              record in store 1
                slot 0 of fd
                slot 1 of fd
              if ((store 0[func] / store 0[func].1) > 1000000ns)
                $0 = (((store 1.1 != 0) ? (~store 1 ^ -9223372036854775808) : 0) + 1)
                record in store 2
                  key ((store 1.1 != 0) ? (~store 1 ^ -9223372036854775808) : 0)
                  slot 0 of (((store 1.1 != 0) ? (~store 1 ^ -9223372036854775808) : 0)):u64
            store 0 of @a
              key WASI function
              slot 0 sum
              slot 1 values
            store 1 of @m
              slot 0 min
              slot 1 values
            store 2 of @n
              key number
              slot 0 last
            map 0 @a from store 0: time = avg(#0 #1)
            map 1 @m from store 1: number = min(#0 #1)
            map 2 @n from store 2: number = number(#0)
        "#]],
    );
}

#[test]
fn names_that_are_known_later_are_asked_about() {
    let text = r#"table t from wasi:* where module == "app.wasm" by func { n = count() if strncmp(module, "tmp", 3) != 0 }
uprobe:libc:mall*, uprobe:libc:free /strcontains(probe, "mall") || func[:2] == "fr"/ { @[func != "free"] = count(); }
wasi:* /"app.wasm" == module/ { @n++; }"#;
    let plan = machine::compiled(text, &ENVIRONMENT).plan;
    // What is asked twice is one question.
    assert_eq!(plan.tests.len(), 5);
    let asked: Vec<&str> = [
        ("app.wasm", 0),
        ("tmp-1.wasm", 1),
        ("uprobe:libc:malloc", 2),
        ("free", 3),
        ("free", 4),
    ]
    .into_iter()
    .filter_map(|(name, index): (&str, usize)| plan.tests[index].accepts(name).then_some(name))
    .collect();
    assert_eq!(asked.len(), 5);
}

#[test]
fn a_text_has_the_room_of_the_longest_that_is_kept() {
    let plan = compiled(
        "begin { @a = \"short\"; @k[\"x\"] = 1; $v = \"x\"; @b = $v; $v = path_of; } \
         wasi:* { @a = path; @k[comm] = 2; } end { $w = \"eight by\"; $w = \"x\"; @c = $w; }"
            .replace("path_of", "comm")
            .as_str(),
    )
    .plan;
    let slots: Vec<SlotKind> = plan.stores.iter().map(|store| store.slots[0]).collect();
    assert_eq!(
        slots,
        [
            SlotKind::Text(128),
            SlotKind::Last,
            SlotKind::Text(16),
            SlotKind::Text(16)
        ]
    );
    assert_eq!(plan.stores[1].keys, [Type::Text(16)]);
}

#[test]
fn texts_are_compared_whole_in_part_and_by_what_they_contain() {
    check(
        "wasi:* /comm == path || comm[:4] == \"wasm\" || path == \"\"/ {
            if (strncmp(comm, \"abc\", 3) == 0) { @a++; }
            if (strncmp(comm, path, 5)) { @b++; }
            if (!strcontains(path, \"tmp\") && len(path) > 3) { @c = ok ? \"yes\" : comm; }
            @d = strncmp(comm, \"x\", 1);
        }",
        expect![[r#"
            clause 0
              on all functions
              where (((comm == path) || (comm begins as "wasm" for 4B)) || (path == ""))
              if (comm begins as "abc" for 3B)
                record in store 0
                  slot 0 of 1
              if !(comm begins as path for 5B)
                record in store 1
                  slot 0 of 1
              if (!(path contains "tmp") && (length(path) > 3))
                record in store 2
                  slot 0 of (ok ? "yes" : comm)
              record in store 3
                slot 0 of ((comm begins as "x" for 1B) ? 0 : 1)
            store 0 of @a
              slot 0 tally
            store 1 of @b
              slot 0 tally
            store 2 of @c
              slot 0 text of 16B
            store 3 of @d
              slot 0 last
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: number = number(#0)
            map 2 @c from store 2: text = number(#0)
            map 3 @d from store 3: number = number(#0)
        "#]],
    );
}

#[test]
fn numbers_are_signed_or_unsigned() {
    check(
        "uprobe:/bin/sh:main { @a = arg0 / 2; @b = arg0 > arg1; @c = arg0 < -1; @d = (int32)arg2 >> 1; @e = ~arg3 & 0xff; @f = -arg0; @g = arg6; }
         uretprobe:/bin/sh:main /(int64)retval < 0/ { @h = hist(retval); }
         begin { @late = elapsed > 1s; @t = nsecs / 1ms; @n = (pid > 5) + 1; }",
        expect![[r#"
            clause 0
              on uprobe:/bin/sh:main
              record in store 0
                slot 0 of (context[112]:u64 / 2)
              record in store 1
                slot 0 of (context[112]:u64 > context[104]:u64)
              record in store 2
                slot 0 of (context[112]:u64 < -1)
              record in store 3
                slot 0 of ((context[96]:u64):i32 >> 1)
              record in store 4
                slot 0 of (~context[88]:u64 & 255)
              record in store 5
                slot 0 of -context[112]:u64
              record in store 6
                slot 0 of *User((context[152]:u64 + 8)):u64
            clause 1
              on uretprobe:/bin/sh:main
              where ((context[80]:u64):i64 < 0)
              record in store 7
                slot 0 of context[80]:u64
            clause 2
              at the begin
              record in store 8
                slot 0 of (Elapsed > 1000000000)
              record in store 9
                slot 0 of (Nsecs / 1000000)
              record in store 10
                slot 0 of (((Pid > 5) ? 1 : 0) + 1)
            store 0 of @a
              slot 0 last
            store 1 of @b
              slot 0 last
            store 2 of @c
              slot 0 last
            store 3 of @d
              slot 0 last
            store 4 of @e
              slot 0 last
            store 5 of @f
              slot 0 last
            store 6 of @g
              slot 0 last
            store 7 of @h
              slot 0 histogram by powers of two
            store 8 of @late
              slot 0 last
            store 9 of @t
              slot 0 last
            store 10 of @n
              slot 0 last
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: condition = number(#0)
            map 2 @c from store 2: condition = number(#0)
            map 3 @d from store 3: number = number(#0)
            map 4 @e from store 4: number = number(#0)
            map 5 @f from store 5: number = number(#0)
            map 6 @g from store 6: number = number(#0)
            map 7 @h from store 7: number = histogram(#0)
            map 8 @late from store 8: condition = number(#0)
            map 9 @t from store 9: number = number(#0)
            map 10 @n from store 10: number = number(#0)
        "#]],
    );
}

#[test]
fn the_time_between_two_probes_is_a_plain_number() {
    let maps = compiled(
        "tracepoint:syscalls:sys_enter_openat { @start[tid] = nsecs; }
         tracepoint:syscalls:sys_exit_openat /@start[tid]/ { @us = hist((nsecs - @start[tid]) / 1000); delete(@start[tid]); }",
    )
    .plan
    .maps;
    let types: Vec<Type> = maps.iter().map(|map| map.ty).collect();
    assert_eq!(types, [Type::Unsigned, Type::Unsigned]);
}

#[test]
fn tuples_are_their_parts() {
    check(
        "begin { $t = (1, (\"a\", pid)); @t[0] = $t; @k[$t] = 1; $u = @t[0]; print($u.1.0); print((1, \"b\")); print(@t[0]); }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 1
              $1 = "a"
              $2 = Pid
              record in store 0
                key 0
                slot 0 of $0
                slot 1 of $1
                slot 2 of $2
              record in store 1
                key $0
                key $1
                key $2
                slot 0 of 1
              $3 = store 0[0]
              $4 = store 0[0].1
              $5 = store 0[0].2
              tell message 0[$4]
              tell message 1[1, "b"]
              tell message 2[0]
            store 0 of @t
              key number
              slot 0 last
              slot 1 text of 8B
              slot 2 last
            store 1 of @k
              key number
              key text
              key number
              slot 0 last
            message 0: print text of text
            message 1: print (number, text) of number, text
            message 2: print a key of map 0 of number
            map 0 @t from store 0: (number, (text, number)) = tuple
            map 1 @k from store 1: by (number, (text, number)), number = number(#0)
        "#]],
    );
}

#[test]
fn loops_go_over_numbers_and_maps() {
    check(
        "begin {
            unroll ($1) { @u++; }
            for $i : 0..10 { if ($i == 3) { continue; } @i[$i] = 1; }
            for $i : $1..pid { if ($i > 100) { break; } }
            while (@u > 0) { @u--; }
            while (1) { break; }
            for ($kv : @i) { print($kv); @sum += $kv.1; }
            @pairs[1, \"x\"] = (2, comm);
            for ($kv : @pairs) { printf(\"%d %s %s\\n\", $kv.0.0, $kv.0.1, $kv.1.1); }
        }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              while ($0 < 5)
                record in store 0
                  slot 0 of 1
              step
                $0 = ($0 + 1)
              $1 = 0
              while ($1 < 10)
                if ($1 == 3)
                  continue
                record in store 1
                  key $1
                  slot 0 of 1
              step
                $1 = ($1 + 1)
              $3 = Pid
              $2 = 5
              while ($2 < $3)
                if ($2 > 100)
                  break
              step
                $2 = ($2 + 1)
              while (store 0 > 0)
                record in store 0
                  slot 0 of -1
              forever
                break
              for each [$4] = $5 of store 1
                tell message 0[$4, $5]
                record in store 3
                  slot 0 of $5
              record in store 2
                key 1
                key "x"
                slot 0 of 2
                slot 1 of Comm
              for each [$6, $7] = _, $9 of store 2
                tell message 1[$6, $7, $9]
            store 0 of @u
              slot 0 tally
            store 1 of @i
              key number
              slot 0 last
            store 2 of @pairs
              key number
              key text
              slot 0 last
              slot 1 text of 16B
            store 3 of @sum
              slot 0 tally
            message 0: print (number, number) of number, number
            message 1: printf "%d %s %s\n" of number, text, text
            map 0 @u from store 0: number = number(#0)
            map 1 @i from store 1: number = number(#0)
            map 2 @pairs from store 2: (number, text) = tuple
            map 3 @sum from store 3: number = number(#0)
        "#]],
    );
}

#[test]
fn what_is_counted_can_be_read() {
    let plan = compiled("wasi:* { @n = count(); @s[func] = sum(bytes); @a = avg(bytes); if (@n > 3 && @s[func] > 4KiB) { exit(3); } }").plan;
    let slots: Vec<&[SlotKind]> = plan.stores.iter().map(|store| &store.slots[..]).collect();
    assert_eq!(
        slots,
        [
            &[SlotKind::Tally][..],
            &[SlotKind::Tally],
            &[SlotKind::Sum, SlotKind::Values]
        ]
    );
    assert!(matches!(plan.maps[0].value, MapValue::Number(_)));
}

#[test]
fn arguments_have_the_names_of_the_specification() {
    check(
        "wasi:fd_write { @a = args.iovs_len; } wasi:{fd_read,fd_pread,path_open}:enter { @b = args.offset; @c = args->fd; }
         syscall:openat, syscall:openat2 { @d[args.filename] = args.dfd; }",
        expect![[r#"
            clause 0
              on fd_write
              record in store 0
                slot 0 of arg2
            clause 1
              on the begin of fd_pread fd_read path_open
              record in store 1
                slot 0 of ((func == fd_pread) ? arg3 : *User(0):i64)
              record in store 2
                slot 0 of arg0
            clause 2
              on the system calls [257, 437]
              record in store 3
                key (arg1):u64
                slot 0 of (arg0):i32
            store 0 of @a
              slot 0 last
            store 1 of @b
              slot 0 last
            store 2 of @c
              slot 0 last
            store 3 of @d
              key number
              slot 0 last
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: number = number(#0)
            map 2 @c from store 2: number = number(#0)
            map 3 @d from store 3: number = number(#0)
        "#]],
    );
}

#[test]
fn the_fields_of_a_tracepoint_are_numbers_and_texts() {
    check(
        "tracepoint:syscalls:sys_enter_openat { @name[str(args.filename)] = args.dfd; }
         tracepoint:syscalls:sys_exit_openat /args.ret == -ENOENT/ { @missing = count(); }
         tracepoint:sched:sched_switch { @from[args.prev_comm] = args.next_pid; }
         tracepoint:sched:sched_process_exec { print(args.filename); }
         rawtracepoint:sched_switch { @word = arg2; }",
        expect![[r#"
            clause 0
              on tracepoint:syscalls:sys_enter_openat
              record in store 0
                key text at User(context[24]:u64)
                slot 0 of context[16]:i32
            clause 1
              on tracepoint:syscalls:sys_exit_openat
              where (context[16]:i64 == -2)
              record in store 1
                slot 0
            clause 2
              on tracepoint:sched:sched_switch
              record in store 2
                key text at Kernel(&context[8]) of 17
                slot 0 of context[56]:i32
            clause 3
              on tracepoint:sched:sched_process_exec
              tell message 0[text at Kernel(&context[*8])]
            clause 4
              on rawtracepoint:sched_switch
              record in store 3
                slot 0 of context[16]:u64
            store 0 of @name
              key text
              slot 0 last
            store 1 of @missing
              slot 0 count
            store 2 of @from
              key text
              slot 0 last
            store 3 of @word
              slot 0 last
            message 0: print text of text
            map 0 @name from store 0: number = number(#0)
            map 1 @missing from store 1: number = count(#0)
            map 2 @from from store 2: number = number(#0)
            map 3 @word from store 3: number = number(#0)
        "#]],
    );
}

#[test]
fn stacks_symbols_and_moments_are_keys_and_are_printed() {
    check(
        "uprobe:/bin/sh:main { @s[ustack(5), kstack(perf), probe, func] = count(); @a[usym(arg0)] = count();
            printf(\"%s %s %s %r %rx\\n\", ustack(raw, 3), usym(reg(\"ip\")), strftime(\"%H:%M\", nsecs), buf(arg0, 12), buf(arg1, arg2)); }",
        expect![[r#"
            clause 0
              on uprobe:/bin/sh:main
              record in store 0
                key Stack(StackType { space: User, depth: 5, mode: Plain })
                key Stack(StackType { space: Kernel, depth: 127, mode: Perf })
                key Cookie
                key Cookie
                slot 0
              record in store 1
                key symbol(context[112]:u64)
                slot 0
              tell message 0[Stack(StackType { space: User, depth: 3, mode: Raw }), symbol(context[128]:u64), (Nsecs):i64, bytes at User(context[112]:u64) of 12, bytes at User(context[104]:u64) of context[96]:u64]
            store 0 of @s
              key stack
              key stack
              key probe
              key function
              slot 0 count
            store 1 of @a
              key symbol
              slot 0 count
            message 0: printf "%s %s %s %r %#rx\n" of stack, symbol, point in time, buffer, buffer
            map 0 @s from store 0: number = count(#0)
            map 1 @a from store 1: number = count(#0)
        "#]],
    );
}

#[test]
fn the_command_line_gives_numbers_and_texts() {
    check(
        "begin /$1 == 5 && $# == 2/ { printf(\"%s %s %d %s|\\n\", str($1), str($2), $3, str($3)); if (str($2) == \"abc\") { @given = $2; } }",
        expect![[r#"
            clause 0
              at the begin
              where ((5 == 5) && (2 == 2))
              tell message 0[0]
              if 1
                record in store 0
                  slot 0 of "abc"
            store 0 of @given
              slot 0 text of 8B
            message 0: printf "5 abc %d |\n" of number
            map 0 @given from store 0: text = number(#0)
        "#]],
    );
}

#[test]
fn user_space_is_told_of_tables_files_and_commands() {
    check(
        "wasi:* { @a[func] = count(); @b[func] = sum(duration); }
         end { tabulate(\"calls\", @a, @b, sort=\"@b\", limit=20); print(@a, 5, 1000); cat(\"/proc/%d/maps\", pid); system(\"echo %s\", comm); exit(2); }
         tracepoint:syscalls:sys_enter_openat { join(args.filename, \",\"); }",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key func
                slot 0
              record in store 1
                key func
                slot 0 of duration
                slot 1 of duration
            clause 1
              at the end
              tell message 0
              tell message 1
              tell message 2[Pid]
              tell message 3[Comm]
              tell message 4
              return
            clause 2
              on tracepoint:syscalls:sys_enter_openat
              tell message 5[text at User(*User((context[24]:u64 + 0)):u64), text at User(*User((context[24]:u64 + 8)):u64), text at User(*User((context[24]:u64 + 16)):u64), text at User(*User((context[24]:u64 + 24)):u64), text at User(*User((context[24]:u64 + 32)):u64), text at User(*User((context[24]:u64 + 40)):u64), text at User(*User((context[24]:u64 + 48)):u64), text at User(*User((context[24]:u64 + 56)):u64), text at User(*User((context[24]:u64 + 64)):u64), text at User(*User((context[24]:u64 + 72)):u64), text at User(*User((context[24]:u64 + 80)):u64), text at User(*User((context[24]:u64 + 88)):u64), text at User(*User((context[24]:u64 + 96)):u64), text at User(*User((context[24]:u64 + 104)):u64), text at User(*User((context[24]:u64 + 112)):u64), text at User(*User((context[24]:u64 + 120)):u64)]
            store 0 of @a
              key WASI function
              slot 0 count
            store 1 of @b
              key WASI function
              slot 0 sum
              slot 1 values
            message 0: tabulate "calls" of maps 0, 1 by map 1 at most 20
            message 1: print the largest 5 of map 0 divided by 1000
            message 2: cat "/proc/%d/maps" of number
            message 3: system "echo %s" of text
            message 4: exit with 2
            message 5: join by "," of text, text, text, text, text, text, text, text, text, text, text, text, text, text, text, text
            map 0 @a from store 0: number = count(#0)
            map 1 @b from store 1: time = sum(#0 #1)
        "#]],
    );
}

#[test]
fn series_and_system_calls_within_calls_are_counted() {
    check(
        "table t from wasi:* by func { trend = tseries(duration, 1s, 60, \"avg\") as spark, futexes = sum(syscalls(\"futex\")) }
         wasi:* { @s = tseries(bytes, 100ms, 10); @w = sum(syscalls(\"write\")); }",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key func
                slot 0 of duration
                slot 1 of watched_0
                slot 2 of watched_0
            clause 1
              on all functions
              record in store 1
                slot 0 of bytes
              record in store 2
                slot 0 of watched_1
                slot 1 of watched_1
            store 0 of t
              key WASI function
              slot 0 series of 60 steps of 1000000000ns, Avg
              slot 1 sum
              slot 2 values
            store 1 of @s
              slot 0 series of 10 steps of 100000000ns, Last
            store 2 of @w
              slot 0 sum
              slot 1 values
            map 0 @s from store 1: size = series(#0)
            map 1 @w from store 2: number = sum(#0 #1)
            table t from store 0
              key func
              column trend: time as spark = series(#0)
              column futexes: number as auto = sum(#1 #2)
        "#]],
    );
}

fn said(text: &str) -> String {
    let errors = compile(text, &ENVIRONMENT, &[]).expect_err("it has errors");
    render(&errors, "x.ewq", text, false)
}

#[test]
fn a_number_that_begins_with_0_is_octal() {
    let plan = compiled("begin { @a = 017; @b = 0; }").plan.to_string();
    assert!(plan.contains("of 15\n"), "{plan}");
    assert!(said("begin { @a = 018; }").contains("`018` is no octal number"));
}

#[test]
fn the_name_of_an_interval_is_spelled_out() {
    let plan = compiled("i:ms:20 { @a = probe; }").plan.to_string();
    assert!(plan.contains("\"interval:ms:20\""), "{plan}");
}

#[test]
fn a_constant_of_c_has_a_hint() {
    let said = said("begin { @a = AF_INET; }");
    assert!(
        said.contains("constants of C headers are not known"),
        "{said}"
    );
}
