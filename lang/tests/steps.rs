//! What `++` and `--` within expressions become.

mod machine;

use ewapa_lang::{Environment, compile, render};
use expect_test::{Expect, expect};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    host: Some(&Machine),
    arguments: &["hello"],
    ..Environment::EMPTY
};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&machine::compiled(text, &ENVIRONMENT).plan.to_string());
}

fn refused(text: &str, expected: Expect) {
    let errors = compile(text, &ENVIRONMENT, &[]).map(|_| ()).unwrap_err();
    expected.assert_eq(&render(&errors, "x.ewq", text, false));
}

#[test]
fn a_step_comes_before_the_statement_that_uses_its_value() {
    check(
        "begin { $i = 0; $y = $i++; $z = --$i; printf(\"%d\", $i--); @a[$i++] = 1; @b[$y, $z] = 1; }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              $0 = ($0 + 1)
              $1 = ($0 - 1)
              $0 = ($0 - 1)
              $2 = $0
              $0 = ($0 - 1)
              tell message 0[($0 + 1)]
              $0 = ($0 + 1)
              record in store 0
                key ($0 - 1)
                slot 0 of 1
              record in store 1
                key $1
                key $2
                slot 0 of 1
            store 0 of @a
              key number
              slot 0 last
            store 1 of @b
              key number
              key number
              slot 0 last
            message 0: printf "%d" of number
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: number = number(#0)
        "#]],
    );
}

#[test]
fn what_is_read_before_a_step_has_the_old_value() {
    check(
        "begin { $i = 0; printf(\"%d %d %d\", $i, $i++, $i); printf(\"%d %d\", $i++, ++$i); $i += $i++; @x[$i] = $i++; }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              $1 = $0
              $0 = ($0 + 1)
              tell message 0[$1, ($0 - 1), $0]
              $1 = $0
              $0 = ($0 + 1)
              $0 = ($0 + 1)
              tell message 1[$1, $0]
              $1 = $0
              $0 = ($0 + 1)
              $0 = ($1 + ($0 - 1))
              $0 = ($0 + 1)
              record in store 0
                key $0
                slot 0 of ($0 - 1)
            store 0 of @x
              key number
              slot 0 last
            message 0: printf "%d %d %d" of number, number, number
            message 1: printf "%d %d" of number, number
            map 0 @x from store 0: number = number(#0)
        "#]],
    );
}

#[test]
fn the_value_of_a_step_of_a_map_is_kept() {
    check(
        "begin { $i = 0; $y = @x++; printf(\"%d %d\", @y[$i++]--, ++@x); print(@x++); @y[1]++; }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              $1 = store 0
              record in store 0
                slot 0 of 1
              $2 = $1
              $0 = ($0 + 1)
              $3 = store 1[($0 - 1)]
              record in store 1
                key ($0 - 1)
                slot 0 of -1
              record in store 0
                slot 0 of 1
              $1 = store 0
              tell message 0[$3, $1]
              $1 = store 0
              record in store 0
                slot 0 of 1
              tell message 1[$1]
              record in store 1
                key 1
                slot 0 of 1
            store 0 of @x
              slot 0 tally
            store 1 of @y
              key number
              slot 0 tally
            message 0: printf "%d %d" of number, number
            message 1: print number of number
            map 0 @x from store 0: number = number(#0)
            map 1 @y from store 1: number = number(#0)
        "#]],
    );
}

#[test]
fn conditions_with_steps_are_evaluated_as_often_as_without() {
    check(
        "begin { $n = 0; if ($n++ < 5) { @a++; } else if (--$n == 3) { @b++; } \
         while ($n++ < 5 && @a < 3) { @c++; } for $k : 0..$n++ { @d++; } $n > 3 ? $n++ : @e[$n++]++; } \
         begin /@f++ < 3/ { @g++; }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              $0 = ($0 + 1)
              if (($0 - 1) < 5)
                record in store 0
                  slot 0 of 1
              else
                $0 = ($0 - 1)
                if ($0 == 3)
                  record in store 1
                    slot 0 of 1
              forever
                $0 = ($0 + 1)
                if ((($0 - 1) < 5) && (store 0 < 3))
                else
                  break
                record in store 2
                  slot 0 of 1
              $0 = ($0 + 1)
              $2 = ($0 - 1)
              $1 = 0
              while ($1 < $2)
                record in store 3
                  slot 0 of 1
              step
                $1 = ($1 + 1)
              if ($0 > 3)
                $0 = ($0 + 1)
              else
                $0 = ($0 + 1)
                record in store 4
                  key ($0 - 1)
                  slot 0 of 1
            clause 1
              at the begin
              $0 = store 5
              record in store 5
                slot 0 of 1
              if ($0 < 3)
                record in store 6
                  slot 0 of 1
            store 0 of @a
              slot 0 tally
            store 1 of @b
              slot 0 tally
            store 2 of @c
              slot 0 tally
            store 3 of @d
              slot 0 tally
            store 4 of @e
              key number
              slot 0 tally
            store 5 of @f
              slot 0 tally
            store 6 of @g
              slot 0 tally
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: number = number(#0)
            map 2 @c from store 2: number = number(#0)
            map 3 @d from store 3: number = number(#0)
            map 4 @e from store 4: number = number(#0)
            map 5 @f from store 5: number = number(#0)
            map 6 @g from store 6: number = number(#0)
        "#]],
    );
}

#[test]
fn a_step_that_may_not_be_evaluated_stands_under_an_if() {
    check(
        "begin { $n = 0; $a = $n > 0 && $n++ > 1; $b = $n ? $n-- : 1; if ($n == 5 || ++$n > 3 && $n-- > 1) { exit(); } }",
        expect![[r#"
            clause 0
              at the begin
              $0 = 0
              $1 = 0
              if ($0 > 0)
                $0 = ($0 + 1)
                if (($0 - 1) > 1)
                  $1 = 1
              $2 = ($1 != 0)
              if ($0 != 0)
                $0 = ($0 - 1)
                $3 = ($0 + 1)
              else
                $3 = 1
              $4 = $3
              $5 = 0
              if ($0 == 5)
                $5 = 1
              else
                $6 = 0
                $0 = ($0 + 1)
                if ($0 > 3)
                  $0 = ($0 - 1)
                  if (($0 + 1) > 1)
                    $6 = 1
                if ($6 != 0)
                  $5 = 1
              if ($5 != 0)
                tell message 0
                return
            message 0: exit
        "#]],
    );
}

#[test]
fn both_sides_of_a_choice_with_a_step_have_one_type() {
    refused(
        "begin { $x = 0; $y = 1 ? $x++ : \"a\"; } wasi:* /fd++ > 1/ { exit(); }",
        expect![[r#"
            error[E0603]: the value of this `? :` is a text here and a number elsewhere
             --> x.ewq:1:33
              |
            1 | begin { $x = 0; $y = 1 ? $x++ : "a"; } wasi:* /fd++ > 1/ { exit(); }
              |                          ----   ^^^ this is a text
              |                          |
              |                          this is a number

            error[E0403]: `++` changes only a variable or a map
             --> x.ewq:1:48
              |
            1 | begin { $x = 0; $y = 1 ? $x++ : "a"; } wasi:* /fd++ > 1/ { exit(); }
              |                                                ^^^^
              |
              = help: a variable is `$x`, a map `@x` or `@x[key]`
        "#]],
    );
}

#[test]
fn a_step_outside_of_a_block_is_refused() {
    refused(
        "table t from wasi:* where tid++ > 1 { c = count() }",
        expect![[r#"
            error[E0902]: `++` outside of statements is bpftrace's, and this language leaves it out
             --> x.ewq:1:27
              |
            1 | table t from wasi:* where tid++ > 1 { c = count() }
              |                           ^^^^^
              |
              = help: variables and maps change in probe blocks
        "#]],
    );
}

#[test]
fn numbers_have_64_bits_with_or_without_a_sign() {
    check(
        "begin { @a = 18446744073709551615; @b = 0xffffffffffffffff / 2; @c = -9223372036854775808; \
         $x = 3; if ($x < 9223372036854775808) { @d = 9223372036854775807; } }",
        expect![[r#"
            clause 0
              at the begin
              record in store 0
                slot 0 of 18446744073709551615
              record in store 1
                slot 0 of (18446744073709551615 / 2)
              record in store 2
                slot 0 of -9223372036854775808
              $0 = 3
              if (($0):u64 < 9223372036854775808)
                record in store 3
                  slot 0 of 9223372036854775807
            store 0 of @a
              slot 0 last
            store 1 of @b
              slot 0 last
            store 2 of @c
              slot 0 last
            store 3 of @d
              slot 0 last
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: number = number(#0)
            map 2 @c from store 2: number = number(#0)
            map 3 @d from store 3: number = number(#0)
        "#]],
    );
}

#[test]
fn texts_that_are_known_are_cut_and_compared() {
    check(
        "begin { printf(\"%s %s %s\", str($1, 3), str(\"héllo\", 2), str($1, 99)); \
         if (\"abc\" == \"abc\") { @a++; } @b = str($1) != \"hello\"; }",
        expect![[r#"
            clause 0
              at the begin
              tell message 0
              if 1
                record in store 0
                  slot 0 of 1
              record in store 1
                slot 0 of 0
            store 0 of @a
              slot 0 tally
            store 1 of @b
              slot 0 last
            message 0: printf "hel h hello"
            map 0 @a from store 0: number = number(#0)
            map 1 @b from store 1: condition = number(#0)
        "#]],
    );
}

#[test]
fn lengths_of_conversions_cut_as_in_c() {
    check(
        "begin { printf(\"%zu %hhd %hu %hhx %d\", 5, 300, 70000, -1, 5000000000); }",
        expect![[r#"
            clause 0
              at the begin
              tell message 0[5, (300):i8, (70000):u16, (-1):u8, 5000000000]
            message 0: printf "%u %d %u %x %d" of number, number, number, number, number
        "#]],
    );
}

#[test]
fn a_size_of_a_number_is_a_number_and_a_comparison_prints_one() {
    check(
        "begin { print(sizeof(uint64)); print(sizeof(int)); print(1 == 1); print((1 == 2, 3)); }",
        expect![[r#"
            clause 0
              at the begin
              tell message 0[8]
              tell message 0[4]
              tell message 1[(1 == 1)]
              tell message 2[(1 == 2), 3]
            message 0: print number of number
            message 1: print condition of condition
            message 2: print (condition, number) of condition, number
        "#]],
    );
}

#[test]
fn a_row_of_a_condition_is_looked_up_by_true_and_false() {
    check(
        "wasi:* { @calls[ok] = count(); } check \"good\" @calls[true] > 0; check \"bad\" @calls[false] == 0;",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key ok
                slot 0
            store 0 of @calls
              key condition
              slot 0 count
            map 0 @calls from store 0: number = count(#0)
            check "good" (map 0[1] > 0)
            check "bad" (map 0[0] == 0)
        "#]],
    );
}

#[test]
fn checks_look_at_maps() {
    check(
        "wasi:* { @errors++; @calls[func, pid] = count(); @slow[func] = max(duration); }
        check \"none\" @errors == 0; check \"few\" @calls[\"fd_read\", 1] < 5; check \"fast\" @slow[\"fd_read\"] < 1ms;",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                slot 0 of 1
              record in store 1
                key func
                key pid
                slot 0
              record in store 2
                key func
                slot 0 of duration
                slot 1 of duration
            store 0 of @errors
              slot 0 tally
            store 1 of @calls
              key WASI function
              key number
              slot 0 count
            store 2 of @slow
              key WASI function
              slot 0 max
              slot 1 values
            map 0 @errors from store 0: number = number(#0)
            map 1 @calls from store 1: number = count(#0)
            map 2 @slow from store 2: time = max(#0 #1)
            check "none" (map 0[] == 0)
            check "few" (map 1[20, 1] < 5)
            check "fast" (map 2[20] < 1000000ns)
        "#]],
    );
}

#[test]
fn symbols_and_buffers_are_kept_in_maps() {
    check(
        "uprobe:/bin/sh:main { @s = usym(arg0); @b[pid] = buf(arg0, 12); @t = (usym(arg0), 1); print(@s); $x = @b[1]; printf(\"%r\", $x); }",
        expect![[r#"
            clause 0
              on uprobe:/bin/sh:main
              record in store 0
                slot 0 of symbol(context[112]:u64)
              record in store 1
                key Pid
                slot 0 of bytes at User(context[112]:u64) of 12
              record in store 2
                slot 0 of symbol(context[112]:u64)
                slot 1 of 1
              tell message 0
              $0 = store 1[1]
              tell message 1[$0]
            store 0 of @s
              slot 0 text of 16B
            store 1 of @b
              key number
              slot 0 text of 24B
            store 2 of @t
              slot 0 text of 16B
              slot 1 last
            message 0: print map 0
            message 1: printf "%r" of buffer
            map 0 @s from store 0: symbol = number(#0)
            map 1 @b from store 1: buffer = number(#0)
            map 2 @t from store 2: (symbol, number) = tuple
        "#]],
    );
}

#[test]
fn maps_know_what_their_keys_are_called() {
    let keys = |text: &str| -> Vec<Vec<Option<String>>> {
        let plan = compile(text, &ENVIRONMENT, &[]).unwrap().plan;
        plan.maps.into_iter().map(|map| map.keys).collect()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(
        keys(
            "wasi:* { @[path, pid / 4096 > 1] = count(); @a[1, comm] = 1; @a[fd, comm] = 2; $t = (1, comm); @t[$t] = 1; }"
        ),
        [
            vec![some("path"), some("pid / 4096 > 1")],
            vec![some("fd"), some("comm")],
            vec![None, None]
        ]
    );
}
