//! What probe blocks become.

mod machine;

use ewapa_lang::plan::{Event, MapValue, SlotKind};
use ewapa_lang::{Compiled, Environment};
use expect_test::{Expect, expect};

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wamr"],
    ..Environment::EMPTY
};

fn compiled(text: &str) -> Compiled {
    machine::compiled(text, &ENVIRONMENT)
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&compiled(text).plan.to_string());
}

/// The kind of the only slot of each map, by name.
fn slots(text: &str) -> Vec<(String, SlotKind)> {
    let plan = compiled(text).plan;
    let slot = |map: &ewapa_lang::plan::Map| plan.stores[map.store.0].slots[0];
    plan.maps
        .iter()
        .map(|map| (map.name.clone(), slot(map)))
        .collect()
}

/// The types of what the maps hold.
fn types(text: &str) -> Vec<String> {
    let maps = compiled(text).plan.maps;
    maps.iter().map(|map| map.ty.to_string()).collect()
}

/// The pieces of the first message, as they are written in a format.
fn message(statement: &str) -> String {
    compiled(&format!("wasi:* {{ {statement} }}")).plan.messages[0].to_string()
}

#[test]
fn a_histogram_for_each_key() {
    check(
        "wasi:fd_read, wasi:fd_pread /errno == 0/ { @size[runtime, func] = hist(bytes); }",
        expect![[r#"
        clause 0
          on fd_pread fd_read
          where (errno == ESUCCESS)
          record in store 0
            key runtime
            key func
            slot 0 of bytes
        store 0 of @size
          key runtime
          key WASI function
          slot 0 histogram by powers of two
        map 0 @size from store 0: size = histogram(#0)
    "#]],
    );
}

#[test]
fn every_aggregate_has_its_slots() {
    check(
        "wasi:* {
            @ = count(); @sum = sum(bytes); @avg = avg(duration); @min = min(duration); @max = max(duration);
            @stats = stats(duration); @dev = stddev(bytes); @p = p99(duration); @q = quantile(duration, 0.75);
            @fine = hist(duration, 5); @steps = lhist(duration, 0, 100us, 10us);
        }",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                slot 0
              record in store 1
                slot 0 of bytes
                slot 1 of bytes
              record in store 2
                slot 0 of duration
                slot 1 of duration
              record in store 3
                slot 0 of duration
                slot 1 of duration
              record in store 4
                slot 0 of duration
                slot 1 of duration
              record in store 5
                slot 0 of duration
                slot 1 of duration
              record in store 6
                slot 0 of bytes
                slot 1 of bytes
                slot 2 of bytes
              record in store 7
                slot 0 of duration
                slot 1 of duration
                slot 2 of duration
              record in store 8
                slot 0 of duration
                slot 1 of duration
                slot 2 of duration
              record in store 9
                slot 0 of duration
              record in store 10
                slot 0 of duration
            store 0 of @
              slot 0 count
            store 1 of @sum
              slot 0 sum
              slot 1 values
            store 2 of @avg
              slot 0 sum
              slot 1 values
            store 3 of @min
              slot 0 min
              slot 1 values
            store 4 of @max
              slot 0 max
              slot 1 values
            store 5 of @stats
              slot 0 sum
              slot 1 values
            store 6 of @dev
              slot 0 sum
              slot 1 sum of squares
              slot 2 values
            store 7 of @p
              slot 0 histogram
              slot 1 min
              slot 2 max
            store 8 of @q
              slot 0 histogram
              slot 1 min
              slot 2 max
            store 9 of @fine
              slot 0 histogram with 32 steps a power of two
            store 10 of @steps
              slot 0 histogram from 0 to 100000 by 10000
            map 0 @ from store 0: number = count(#0)
            map 1 @sum from store 1: size = sum(#0 #1)
            map 2 @avg from store 2: time = avg(#0 #1)
            map 3 @min from store 3: time = min(#0 #1)
            map 4 @max from store 4: time = max(#0 #1)
            map 5 @stats from store 5: time = stats(#0 #1)
            map 6 @dev from store 6: size = stddev(#0 #1 #2)
            map 7 @p from store 7: time = quantile 0.99(#0 #1 #2)
            map 8 @q from store 8: time = quantile 0.75(#0 #1 #2)
            map 9 @fine from store 9: time = histogram(#0)
            map 10 @steps from store 10: time = histogram(#0)
        "#]],
    );
}

#[test]
fn slow_calls_are_printed() {
    check(
        r#"
        param min = 1ms;
        BEGIN { printf("%-10s %9s\n", "FUNC", "US"); }
        wasi:* /duration >= min/ {
            time("%H:%M:%S ");
            printf("%-10s %9d %s\n", func, duration / 1us, comm);
        }
        "#,
        expect![[r#"
        clause 0
          at the begin
          tell message 0
        clause 1
          on all functions
          where (duration >= 1000000ns)
          tell message 1
          tell message 2[func, (duration / 1000ns), comm]
        message 0: printf "FUNC              US\n"
        message 1: time "%H:%M:%S "
        message 2: printf "%-10s %9d %s\n" of WASI function, number, text
    "#]],
    );
}

#[test]
fn variables_and_conditions_keep_their_order() {
    check(
        r#"
        wasi:fd_write {
            $time = 0;
            if (ok && bytes > 4KiB) { $time = self_time; } else if (fd) { $time = duration; } else { return; }
            let $share = $time * 100 / duration;
            $share++;
            @slow[$share > 50, "share"]++;
        }
        "#,
        expect![[r#"
        clause 0
          on fd_write
          $0 = 0ns
          if (ok && (bytes > 4096B))
            $0 = self_time
          else
            if (fd != 0)
              $0 = duration
            else
              return
          $1 = (($0 * 100) / duration)
          $1 = ($1 + 1)
          record in store 0
            key ($1 > 50)
            key "share"
            slot 0 of 1
        store 0 of @slow
          key condition
          key text
          slot 0 tally
        map 0 @slow from store 0: number = number(#0)
    "#]],
    );
}

#[test]
fn every_second_is_a_report() {
    check(
        "wasi:* { @calls[func] = count(); @now[tid] = duration; }
         interval:s:1 { print(@calls, 5); clear(@calls); zero(@now); }
         end { delete(@calls[\"fd_read\"]); delete(@now, 7); clear(@calls); exit(); }",
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key func
                slot 0
              record in store 1
                key tid
                slot 0 of duration
            clause 1
              every 1000000000ns
              tell message 0
              tell message 1
              tell message 2
            clause 2
              at the end
              delete from store 0[fd_read]
              delete from store 1[7]
              tell message 1
              tell message 3
              return
            store 0 of @calls
              key WASI function
              slot 0 count
            store 1 of @now
              key number
              slot 0 last
            message 0: print the largest 5 of map 0
            message 1: clear map 0
            message 2: zero map 1
            message 3: exit
            map 0 @calls from store 0: number = count(#0)
            map 1 @now from store 1: time = number(#0)
        "#]],
    );
}

#[test]
fn tables_and_maps_go_together() {
    check(
        "wasi:* /@seen[pid] < 3/ { @seen[pid]++; }
         table t from wasi:fd_read by func { n = count() }
         wasi:fd_read { @n = @seen[pid]; }",
        expect![[r#"
        clause 0
          on fd_read
          record in store 0
            key func
            slot 0
        clause 1
          on all functions
          where (store 1[pid] < 3)
          record in store 1
            key pid
            slot 0 of 1
        clause 2
          on fd_read
          record in store 2
            slot 0 of store 1[pid]
        store 0 of t
          key WASI function
          slot 0 count
        store 1 of @seen
          key number
          slot 0 tally
        store 2 of @n
          slot 0 last
        map 0 @seen from store 1: number = number(#0)
        map 1 @n from store 2: number = number(#0)
        table t from store 0
          key func
          column n: number as auto = count(#0)
    "#]],
    );
}

#[test]
fn a_map_that_is_only_counted_is_a_tally() {
    let text =
        "wasi:* { @a++; --@b; @c += bytes; @d -= 2; @e = 1; @e++; @f *= 2; @f += 1; @g = @a; }";
    expect![[r#"[("a", Tally), ("b", Tally), ("c", Tally), ("d", Tally), ("e", Last), ("f", Last), ("g", Last)]"#]].assert_eq(&format!("{:?}", slots(text)));
    let text = "wasi:* { @a -= duration; @b -= 3; @b--; @c = 1; @c -= 3; }";
    check(
        text,
        expect![[r#"
        clause 0
          on all functions
          record in store 0
            slot 0 of -duration
          record in store 1
            slot 0 of -3
          record in store 1
            slot 0 of -1
          record in store 2
            slot 0 of 1
          record in store 2
            slot 0 of (store 2 - 3)
        store 0 of @a
          slot 0 tally
        store 1 of @b
          slot 0 tally
        store 2 of @c
          slot 0 last
        map 0 @a from store 0: time = number(#0)
        map 1 @b from store 1: number = number(#0)
        map 2 @c from store 2: number = number(#0)
    "#]],
    );
}

#[test]
fn written_numbers_take_the_type_of_the_others() {
    assert_eq!(
        types("begin { @t = 0; } wasi:* { @t = duration; }"),
        ["time"]
    );
    assert_eq!(types("wasi:* { @s += 0; @s += bytes; }"), ["size"]);
    assert_eq!(types("wasi:* { @e = 8; @e = errno; }"), ["errno"]);
    assert_eq!(types("wasi:* { @n = 0; @n += 8; }"), ["number"]);
    assert_eq!(
        types("wasi:* { $t = 0; $u = $t; $t = duration; @m = $u; @k = 0; @k = @m; }"),
        ["time", "time"]
    );
}

#[test]
fn a_map_may_be_read_above_the_place_that_fills_it() {
    assert_eq!(
        types("begin { @a = @b; } wasi:* /@c > 1us/ { @b = @c; } end { @c = 5us; }"),
        ["time", "time", "time"]
    );
}

#[test]
fn keys_that_are_written_are_those_of_the_others() {
    let text = r#"
        end { @f["fd_read"]++; @e[8]++; @t["x"]++; @d[0]++; }
        wasi:* { @f[func]++; @e[errno]++; @t[comm]++; @d[duration]++; @n[1]++; @s["a", ("b")]++; @p[(1, ok)]++; }
    "#;
    let stores: Vec<String> = compiled(text)
        .plan
        .stores
        .iter()
        .map(|store| {
            format!(
                "{} {:?}",
                store.name,
                store
                    .keys
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            )
        })
        .collect();
    expect![[r#"
        @f ["WASI function"]
        @e ["errno"]
        @t ["text"]
        @d ["time"]
        @n ["number"]
        @s ["text", "text"]
        @p ["number", "condition"]"#]]
    .assert_eq(&stores.join("\n"));
}

#[test]
fn numbers_are_conditions_in_blocks() {
    check(
        "wasi:* /fd/ { if (!@x) { @x = fd && !pid ? 1 : 2; } }",
        expect![[r#"
        clause 0
          on all functions
          where (fd != 0)
          if (store 0 == 0)
            record in store 0
              slot 0 of (((fd != 0) && (pid == 0)) ? 1 : 2)
        store 0 of @x
          slot 0 last
        map 0 @x from store 0: number = number(#0)
    "#]],
    );
}

#[test]
fn nothing_follows_what_ends_a_block() {
    check(
        "wasi:* { if (ok) { return; } else { exit(); @a++; } @b++; } end { print(@a); return; print(@b); }",
        expect![[r#"
        clause 0
          on all functions
          if ok
            return
          else
            tell message 0
            return
        clause 1
          at the end
          tell message 1
          return
        store 0 of @a
          slot 0 tally
        store 1 of @b
          slot 0 tally
        message 0: exit
        message 1: print map 0
        message 2: print map 1
        map 0 @a from store 0: number = number(#0)
        map 1 @b from store 1: number = number(#0)
    "#]],
    );
}

#[test]
fn formats_are_read_before_the_script_runs() {
    expect![[r#"printf "%5d|%-8s|%#x|%d %%\n" of number, errno, number, size"#]].assert_eq(
        &message(r#"printf("%5d|%-8s|%#x|%lld %%\n", pid, errno, fd, bytes);"#),
    );
    expect![[r#"printf "a%%    |   bc|\u{1b}[1m%s" of WASI function"#]].assert_eq(&message(
        r#"printf("%-6s|%5.2s|\e[1m%s", "a%", "bcd", func);"#,
    ));
    expect![[r#"printf "%c %p %o %d" of number, number, condition, time"#]]
        .assert_eq(&message(r#"printf("%c %p %o %d", pid, fd, ok, duration);"#));
    expect![[r#"time "%H:%M:%S\n""#]].assert_eq(&message("time();"));
}

#[test]
fn intervals_are_written_in_two_ways() {
    let events = |text| -> Vec<Event> {
        let clauses = compiled(text).plan.clauses;
        clauses.into_iter().map(|clause| clause.event).collect()
    };
    assert_eq!(
        events("interval:1s, interval:s:1, interval:ms:100, interval:hz:10, interval:1500us { }"),
        [
            Event::Interval(1_000_000_000),
            Event::Interval(100_000_000),
            Event::Interval(1_500_000)
        ]
    );
    assert_eq!(
        events("begin, BEGIN, end { } END { }"),
        [Event::Begin, Event::End, Event::End]
    );
}

#[test]
fn what_is_told_twice_is_one_message() {
    let plan = compiled("wasi:* { @ = count(); } interval:1s { print(@); clear(@); } end { print(@); clear(@); exit(); }").plan;
    assert_eq!(plan.messages.len(), 3);
}

#[test]
fn maps_are_printed_in_the_order_of_their_first_mention() {
    let plan = compiled(
        "begin { @b = 1; } end { print(@c); } wasi:* { @a[@b] = count(); @c = stats(duration); }",
    )
    .plan;
    let names: Vec<&str> = plan.maps.iter().map(|map| map.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "a"]);
    assert!(matches!(plan.maps[1].value, MapValue::Stats { .. }));
}

#[test]
fn what_let_declares_in_two_branches_are_two_variables() {
    check(
        "wasi:* { if (ok) { let $x = 1; @a = $x; } else { let $x = duration; @b = $x; } $x = bytes; @c = $x; }",
        expect![[r#"
        clause 0
          on all functions
          if ok
            $0 = 1
            record in store 0
              slot 0 of $0
          else
            $1 = duration
            record in store 1
              slot 0 of $1
          $2 = bytes
          record in store 2
            slot 0 of $2
        store 0 of @a
          slot 0 last
        store 1 of @b
          slot 0 last
        store 2 of @c
          slot 0 last
        map 0 @a from store 0: number = number(#0)
        map 1 @b from store 1: time = number(#0)
        map 2 @c from store 2: size = number(#0)
    "#]],
    );
}

#[test]
fn a_map_may_be_made_of_itself() {
    assert_eq!(types("wasi:* { @n = @n + 1; }"), ["number"]);
    assert_eq!(types("wasi:* { @sum = @sum + duration; }"), ["time"]);
    assert_eq!(types("wasi:* { @twice = 2 * @twice + 1; }"), ["number"]);
    assert_eq!(
        types("wasi:* { @max[func] = duration > @max[func] ? duration : @max[func]; }"),
        ["time"]
    );
    assert_eq!(
        types("begin { @min = 0; } wasi:* { @min = @min == 0 || bytes < @min ? bytes : @min; }"),
        ["size"]
    );
    assert_eq!(
        types("wasi:* { $t = 0; $t = $t + duration; @t = $t; }"),
        ["time"]
    );
}
