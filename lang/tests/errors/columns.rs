//! Columns: aggregates, their arguments, and units.

use expect_test::expect;

use super::check;

#[test]
fn a_column_needs_an_aggregate() {
    let text =
        r#"table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }"#;
    check(
        text,
        expect![[r#"
            error[E0401]: `duration` is a time of one call, and a column is over many
             --> slow.ewq:1:27
              |
            1 | table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }
              |                           ^^^^^^^^
              |
              = help: wrap it, such as `sum(duration)`, `avg(duration)` or `p99(duration)`, or put it into `by`

            error[E0401]: `runtime` is a runtime of one call, and a column is over many
             --> slow.ewq:1:41
              |
            1 | table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }
              |                                         ^^^^^^^
              |
              = help: put it into `by` to have one row for each of its values

            error[E0303]: a column is a number, and this is a condition
             --> slow.ewq:1:54
              |
            1 | table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }
              |                                                      ^^^^^^^^^^
              |
              = help: to count calls for which it holds write `count() if …`; to choose between two numbers `… ? … : …`

            error[E0305]: a column is a number, and this is a text
             --> slow.ewq:1:70
              |
            1 | table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }
              |                                                                      ^^^
              |
              = help: a column is made of aggregates: `sum(bytes)`, `p99(duration)`

            error[E0403]: a column is a number, and `EBADF` is an errno
             --> slow.ewq:1:79
              |
            1 | table t from wasi:* { a = duration, b = runtime, c = errno == 0, d = "x", e = EBADF }
              |                                                                               ^^^^^
        "#]],
    );
}

#[test]
fn aggregates_do_not_nest() {
    let text = "table t from wasi:* { a = max(sum(duration)) }";
    check(
        text,
        expect![[r#"
        error[E0402]: `sum()` inside of an aggregate
         --> slow.ewq:1:31
          |
        1 | table t from wasi:* { a = max(sum(duration)) }
          |                               ^^^^^^^^^^^^^ an aggregate is over values of calls
    "#]],
    );
}

#[test]
fn aggregates_are_over_numbers() {
    let text = "table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }";
    check(
        text,
        expect![[r#"
        error[E0403]: `sum()` needs a number, a time or a size
         --> slow.ewq:1:31
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                               ^^^^ this is a text
          |
          = help: to have one row for each of its values put it into `by`

        error[E0403]: `avg()` needs a number, a time or a size
         --> slow.ewq:1:46
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                                              ^^^^^ this is an errno
          |
          = help: to have one row for each of its values put it into `by`

        error[E0403]: `sum()` needs a number, a time or a size
         --> slow.ewq:1:62
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                                                              ^^ this is a condition
          |
          = help: to count calls for which it holds write `count() if …`

        error[E0403]: `sum()` needs a number, a time or a size
         --> slow.ewq:1:75
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                                                                           ^^^^ this is a WASI function
          |
          = help: to have one row for each of its values put it into `by`

        error[E0403]: a quantile is a share from 0 to 1
         --> slow.ewq:1:105
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                                                                                                         ^^
          |
          = help: three quarters are `0.75`

        error[E0403]: `sum()` has no argument called `x`
         --> slow.ewq:1:118
          |
        1 | table t from wasi:* { a = sum(comm), b = avg(errno), c = sum(ok), d = sum(func), e = quantile(duration, 75), f = sum(x = bytes) }
          |                                                                                                                      ^
    "#]],
    );
}

#[test]
fn aggregates_take_their_number_of_arguments() {
    let text = "table t from wasi:* { a = count(errno), b = sum(), c = quantile(duration), d = p99(duration, 1) }";
    check(
        text,
        expect![[r#"
        error[E0404]: `count()` takes no argument, not 1
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* { a = count(errno), b = sum(), c = quantile(duration), d = p99(duration, 1) }
          |                           ^^^^^^^^^^^^
          |
          = help: it counts calls; to count some of them write `count() if errno != 0`

        error[E0404]: `sum()` takes one argument, not 0
         --> slow.ewq:1:45
          |
        1 | table t from wasi:* { a = count(errno), b = sum(), c = quantile(duration), d = p99(duration, 1) }
          |                                             ^^^^^
          |
          = help: such as `sum(duration)`

        error[E0404]: `quantile()` takes two arguments, not 1
         --> slow.ewq:1:56
          |
        1 | table t from wasi:* { a = count(errno), b = sum(), c = quantile(duration), d = p99(duration, 1) }
          |                                                        ^^^^^^^^^^^^^^^^^^
          |
          = help: such as `quantile(duration, 0.75)`

        error[E0404]: `p99()` takes one argument, not 2
         --> slow.ewq:1:80
          |
        1 | table t from wasi:* { a = count(errno), b = sum(), c = quantile(duration), d = p99(duration, 1) }
          |                                                                                ^^^^^^^^^^^^^^^^
          |
          = help: such as `p99(duration)`
    "#]],
    );
}

#[test]
fn aggregates_stand_in_columns_only() {
    let text = "table t from wasi:* where count() > 1 by sum(bytes) { a = count() if max(duration) > 1us }";
    check(
        text,
        expect![[r#"
        error[E0405]: `count()` is over many calls, and a `where` decides about one call
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where count() > 1 by sum(bytes) { a = count() if max(duration) > 1us }
          |                           ^^^^^^^
          |
          = help: aggregates stand in columns: `calls = count()`

        error[E0405]: `sum()` is over many calls, and a key is a value of one call
         --> slow.ewq:1:42
          |
        1 | table t from wasi:* where count() > 1 by sum(bytes) { a = count() if max(duration) > 1us }
          |                                          ^^^^^^^^^^
          |
          = help: aggregates stand in columns: `calls = count()`

        error[E0405]: `max()` is over many calls, and an `if` decides about one call
         --> slow.ewq:1:70
          |
        1 | table t from wasi:* where count() > 1 by sum(bytes) { a = count() if max(duration) > 1us }
          |                                                                      ^^^^^^^^^^^^^
          |
          = help: aggregates stand in columns: `calls = count()`
    "#]],
    );
}

#[test]
fn units_suit_the_type() {
    let text = "table t from wasi:* { a = sum(bytes) as ms, b = sum(duration) as bytes, c = max(duration) as pct, d = count() as us }";
    check(
        text,
        expect![[r#"
            error[E0406]: `ms` shows a time, and this column is a size
             --> slow.ewq:1:41
              |
            1 | table t from wasi:* { a = sum(bytes) as ms, b = sum(duration) as bytes, c = max(duration) as pct, d = count() as us }
              |                           ----------    ^^ this needs a time
              |                           |
              |                           this is a size
              |
              = help: a size is shown with `as bytes`, `as int`, `as bar`, or without `as` as it fits

            error[E0406]: `bytes` shows a size, and this column is a time
             --> slow.ewq:1:66
              |
            1 | table t from wasi:* { a = sum(bytes) as ms, b = sum(duration) as bytes, c = max(duration) as pct, d = count() as us }
              |                                                 -------------    ^^^^^ this needs a size
              |                                                 |
              |                                                 this is a time
              |
              = help: a time is shown with `as ns`, `as us`, `as ms`, `as s`, `as int`, `as bar`, or without `as` as it fits

            error[E0406]: `pct` shows a number, and this column is a time
             --> slow.ewq:1:94
              |
            1 | table t from wasi:* { a = sum(bytes) as ms, b = sum(duration) as bytes, c = max(duration) as pct, d = count() as us }
              |                                                                             -------------    ^^^ this needs a number
              |                                                                             |
              |                                                                             this is a time
              |
              = help: a time is shown with `as ns`, `as us`, `as ms`, `as s`, `as int`, `as bar`, or without `as` as it fits

            error[E0406]: `us` shows a time, and this column is a number
             --> slow.ewq:1:114
              |
            1 | table t from wasi:* { a = sum(bytes) as ms, b = sum(duration) as bytes, c = max(duration) as pct, d = count() as us }
              |                                                                                                       -------    ^^ this needs a time
              |                                                                                                       |
              |                                                                                                       this is a number
              |
              = help: a number is shown with `as pct`, `as int`, `as hex`, `as bar`, or without `as` as it fits
        "#]],
    );
}

#[test]
fn an_unknown_unit_is_corrected() {
    let text = "table t from wasi:* { a = sum(duration) as msec, b = sum(duration) as xyz }";
    check(
        text,
        expect![[r#"
            error[E0407]: no unit is called `msec`
             --> slow.ewq:1:44
              |
            1 | table t from wasi:* { a = sum(duration) as msec, b = sum(duration) as xyz }
              |                                            ^^^^
              |
              = help: the units are ns us ms s auto bytes pct int hex rate bar spark

            error[E0407]: no unit is called `xyz`
             --> slow.ewq:1:71
              |
            1 | table t from wasi:* { a = sum(duration) as msec, b = sum(duration) as xyz }
              |                                                                       ^^^
              |
              = help: the units are ns us ms s auto bytes pct int hex rate bar spark
        "#]],
    );
}

#[test]
fn a_key_depends_on_the_call() {
    let text = r#"table t from wasi:* by 1 + 1, "x" { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0408]: this key is the same for every call
         --> slow.ewq:1:24
          |
        1 | table t from wasi:* by 1 + 1, "x" { a = count() }
          |                        ^^^^^
          |
          = help: group by a value of the call, such as `runtime`, `func` or `pid`

        error[E0408]: this key is the same for every call
         --> slow.ewq:1:31
          |
        1 | table t from wasi:* by 1 + 1, "x" { a = count() }
          |                               ^^^
          |
          = help: group by a value of the call, such as `runtime`, `func` or `pid`
    "#]],
    );
}

#[test]
fn an_if_needs_an_aggregate() {
    let text = "table t from wasi:* { a = 1 if ok }";
    check(
        text,
        expect![[r#"
        error[E0409]: this `if` selects nothing: the column has no aggregate
         --> slow.ewq:1:32
          |
        1 | table t from wasi:* { a = 1 if ok }
          |                                ^^
    "#]],
    );
}

#[test]
fn shares_are_of_what_adds_up() {
    let text = r#"table t from wasi:* by func { a = share(avg(duration)), b = share(sum(bytes), 1), c = share(x = count()),
  d = share(share(count())), e = sum(share(count())), f = share(count() / count()), g = share(sum(bytes) - sum(bytes) / 2) * 2, h = share(duration) }"#;
    check(
        text,
        expect![[r#"
            error[E0403]: `share()` needs what adds up over rows, and this does not
             --> slow.ewq:1:41
              |
            1 | table t from wasi:* by func { a = share(avg(duration)), b = share(sum(bytes), 1), c = share(x = count()),
              |                                         ^^^^^^^^^^^^^
              |
              = help: counts, sums and rates add up: `share(count())`, `share(sum(duration))`

            error[E0404]: `share()` takes one argument, not 2
             --> slow.ewq:1:61
              |
            1 | table t from wasi:* by func { a = share(avg(duration)), b = share(sum(bytes), 1), c = share(x = count()),
              |                                                             ^^^^^^^^^^^^^^^^^^^^
              |
              = help: such as `share(sum(duration))`

            error[E0403]: `share()` has no argument called `x`
             --> slow.ewq:1:93
              |
            1 | table t from wasi:* by func { a = share(avg(duration)), b = share(sum(bytes), 1), c = share(x = count()),
              |                                                                                             ^

            error[E0403]: `share()` needs what adds up over rows, and this does not
             --> slow.ewq:2:13
              |
            2 |   d = share(share(count())), e = sum(share(count())), f = share(count() / count()), g = share(sum(bytes) - sum(bytes) / 2) * 2, h = s...
              |             ^^^^^^^^^^^^^^
              |
              = help: counts, sums and rates add up: `share(count())`, `share(sum(duration))`

            error[E0402]: `share()` inside of an aggregate
             --> slow.ewq:2:38
              |
            2 |   d = share(share(count())), e = sum(share(count())), f = share(count() / count()), g = share(sum(bytes) - sum(bytes) / 2) * 2, h = s...
              |                                      ^^^^^^^^^^^^^^ an aggregate is over values of calls

            error[E0403]: `share()` needs what adds up over rows, and this does not
             --> slow.ewq:2:65
              |
            2 |   d = share(share(count())), e = sum(share(count())), f = share(count() / count()), g = share(sum(bytes) - sum(bytes) / 2) * 2, h = s...
              |                                                                 ^^^^^^^^^^^^^^^^^
              |
              = help: counts, sums and rates add up: `share(count())`, `share(sum(duration))`

            error[E0401]: `duration` is a time of one call, and a column is over many
             --> slow.ewq:2:139
              |
            2 | ...nt()), g = share(sum(bytes) - sum(bytes) / 2) * 2, h = share(duration) }
              |                                                                 ^^^^^^^^
              |
              = help: wrap it, such as `sum(duration)`, `avg(duration)` or `p99(duration)`, or put it into `by`
        "#]],
    );
}

#[test]
fn only_rates_are_shown_as_rates() {
    let text = r#"table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }"#;
    check(
        text,
        expect![[r#"
            error[E0406]: `rate` shows what there is of something in a second
             --> slow.ewq:1:38
              |
            1 | table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }
              |                           -------    ^^^^ this needs a `rate()`
              |                           |
              |                           this has none
              |
              = help: such as `rate(bytes)`; `rate(1)` is the number of calls in a second

            error[E0404]: `rate()` takes one argument, not 0
             --> slow.ewq:1:48
              |
            1 | table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }
              |                                                ^^^^^^
              |
              = help: such as `rate(duration)`

            error[E0406]: `us` shows a time, and this column is a number
             --> slow.ewq:1:79
              |
            1 | table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }
              |                                                             --------------    ^^ this needs a time
              |                                                             |
              |                                                             this is a number
              |
              = help: a number is shown with `as pct`, `as int`, `as hex`, `as bar`, or without `as` as it fits

            error[E0403]: `rate()` needs a number, a time or a size
             --> slow.ewq:1:92
              |
            1 | table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }
              |                                                                                            ^^ this is a condition
              |
              = help: to count calls for which it holds write `count() if …`

            error[E0301]: a number cannot be divided by a time
             --> slow.ewq:1:111
              |
            1 | table t from wasi:* { a = count() as rate, b = rate() , c = rate(duration) as us, d = rate(ok), e = count() / sum(duration) }
              |                                                                                                     -------   ^^^^^^^^^^^^^ this is a time
              |                                                                                                     |
              |                                                                                                     this is a number
              |
              = help: what there is of it in a second of the run is `rate(x)`
        "#]],
    );
}
