//! What imports, macros and aliases stand for: the plan of the script that is written without them.

mod machine;

use ewapa_lang::plan::Plan;
use ewapa_lang::{Environment, describe_with};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime"],
    host: Some(&Machine),
    ..Environment::EMPTY
};

fn plan(text: &str) -> Plan {
    machine::compiled(text, &ENVIRONMENT).plan
}

fn is_short_for(short: &str, long: &str) {
    assert_eq!(plan(short), plan(long), "{short}");
}

#[test]
fn a_macro_is_its_statements_with_arguments_put_in() {
    is_short_for(
        "macro up($to, @m, step) { $to += step; @m[step] = count(); }
wasi:* { $x = 1; up($x, @seen, 2 + 3); }",
        "wasi:* { $x = 1; { $x += 2 + 3; @seen[2 + 3] = count(); } }",
    );
}

#[test]
fn a_macro_with_a_value_is_an_expression() {
    is_short_for(
        "macro slow(time) { time > 1ms }
macro twice(x) { $y = x; $y + $y }
table t from wasi:* where slow(duration) { a = count() if slow(syscall_time) }
wasi:* /slow(duration)/ { @ = twice(twice(fd)); }",
        "table t from wasi:* where duration > 1ms { a = count() if syscall_time > 1ms }
wasi:* /duration > 1ms/ { $a = fd; $b = $a + $a; @ = $b + $b; }",
    );
}

#[test]
fn variables_of_a_macro_are_its_own() {
    is_short_for(
        "macro f() { $x = 2; @m = $x; }
begin { $x = 1; f(); @n = $x; f(); }",
        "begin { $x = 1; $y = 2; @m = $y; @n = $x; $z = 2; @m = $z; }",
    );
}

#[test]
fn a_value_that_nobody_asks_for_is_left_away() {
    is_short_for(
        "macro up($x) { $x += 1; $x }
begin { $a = 1; up($a); @ = $a; }",
        "begin { $a = 1; $a += 1; @ = $a; }",
    );
}

#[test]
fn an_alias_is_its_probes_with_its_prologue_before_the_block() {
    is_short_for(
        "alias wasi:io = wasi:{fd_read,fd_write} { $fast = duration < 1ms; }
wasi:io, wasi:fd_sync { @[fd] = count(); }",
        "wasi:{fd_read,fd_write} { $fast = duration < 1ms; @[fd] = count(); }
wasi:fd_sync { @[fd] = count(); }",
    );
}

#[test]
fn a_predicate_can_read_what_a_prologue_sets() {
    is_short_for(
        "alias wasi:io = wasi:fd_read { $t = duration; }
wasi:io /$t > 1ms/ { @ = count(); }
wasi:io /fd > 2/ { @ = count(); }",
        "wasi:fd_read { $t = duration; if (!($t > 1ms)) { return; } @ = count(); }
wasi:fd_read /fd > 2/ { $t = duration; @ = count(); }",
    );
}

#[test]
fn aliases_stand_for_aliases() {
    is_short_for(
        "alias wasi:both = wasi:one, wasi:fd_write { $b = 2; }
alias wasi:one = wasi:fd_read { $a = 1; }
wasi:both { @ = $b; }",
        "wasi:fd_read { $a = 1; $b = 2; @ = $b; }
wasi:fd_write { $b = 2; @ = $b; }",
    );
}

#[test]
fn a_table_uses_the_values_that_a_prologue_names() {
    is_short_for(
        "alias wasi:io = wasi:fd_read { $t = duration / 2; $slow = $t > 1ms; }
table t from wasi:io where $slow { a = sum($t) }",
        "table t from wasi:fd_read where duration / 2 > 1ms { a = sum(duration / 2) }",
    );
}

#[test]
fn imported_are_macros_aliases_and_parameters() {
    let text = "import \"lib.ewq\"; import \"lib.ewq\"
table t from wasi:io where is_slow(duration) { a = count() }";
    is_short_for(
        text,
        "table t from wasi:{fd_read,fd_write} where duration >= 1ms { a = count() }",
    );
    let (_, params) = describe_with(text, &ENVIRONMENT).unwrap();
    assert_eq!(params.len(), 1);
    assert_eq!(params[0].name, "slow");
}
