//! The patterns of the bundled catalogue against names from real binaries.

use super::*;
use crate::demangle::demangle;

/// What a mangled name is for the variant of a runtime: its role and function.
fn meaning(runtime: &str, variant: &str, mangled: &str) -> Option<(Role, Option<&'static str>)> {
    let runtime = Catalogue::bundled()
        .runtimes
        .iter()
        .find(|known| known.name == runtime)
        .unwrap();
    let variant = runtime
        .variants
        .iter()
        .find(|known| known.name == variant)
        .unwrap();
    let name = demangle(mangled).unwrap();
    variant
        .rules
        .iter()
        .filter(|rule| rule.needles.iter().any(|needle| needle.is_in(mangled)))
        .find_map(|rule| {
            let function = rule.matches(&name)?;
            Some((rule.role, function.map(Function::name)))
        })
}

fn call(function: &'static str) -> Option<(Role, Option<&'static str>)> {
    Some((Role::Call, Some(function)))
}

fn name(function: &'static str) -> Option<(Role, Option<&'static str>)> {
    Some((Role::Name, Some(function)))
}

const ENVELOPE: Option<(Role, Option<&'static str>)> = Some((Role::Envelope, None));

#[test]
fn the_bundled_files_are_right_to_the_last_pattern() {
    if let Err(err) = Catalogue::parse(FILES) {
        panic!("{err}");
    }
}

#[test]
fn wasmtime_with_legacy_mangling_is_named_by_the_methods_of_wasip1ctx() {
    let meaning = |mangled: &str| meaning("wasmtime", "legacy mangling, HostFunc", mangled);
    let method = |rest| {
        format!(
            "_ZN112_$LT$wasmtime_wasi..p1..WasiP1Ctx$u20$as$u20$wasmtime_wasi..p1..wasi_snapshot_preview1\
             ..WasiSnapshotPreview1$GT${rest}17hcf9df4eccb8a213eE"
        )
    };
    assert_eq!(meaning(&method("14clock_time_get")), name("clock_time_get"));
    assert_eq!(
        meaning(&method("8fd_write28_$u7b$$u7b$closure$u7d$$u7d$")),
        name("fd_write")
    );
    assert_eq!(
        meaning(&(method("9path_open28_$u7b$$u7b$closure$u7d$$u7d$") + ".llvm.42")),
        name("path_open")
    );
    let inner = "8fd_write28_$u7b$$u7b$closure$u7d$$u7d$28_$u7b$$u7b$closure$u7d$$u7d$";
    assert_eq!(meaning(&method(inner)), None);
    assert_eq!(
        meaning("_ZN8wasmtime7runtime4func8HostFunc21array_call_trampoline17h0123456789abcdefE"),
        ENVELOPE
    );
}

#[test]
fn dropping_a_future_is_no_call() {
    let drop = "_ZN4core3ptr202drop_in_place$LT$$LT$wasmtime_wasi..p1..WasiP1Ctx$u20$as$u20$wasmtime_wasi..p1\
        ..wasi_snapshot_preview1..WasiSnapshotPreview1$GT$..fd_write..$u7b$$u7b$closure$u7d$$u7d$$GT$17h0123456789abcdefE";
    assert_eq!(meaning("wasmtime", "legacy mangling, HostFunc", drop), None);
}

/// A trampoline of libwasmtime 50.0.1; `disambiguator` is empty for the first closure.
fn trampoline_v0(disambiguator: &str) -> String {
    format!(
        "_RINvMs9_NtNtCsj7FSLG1y9E8_8wasmtime7runtime4funcNtB6_8HostFunc21array_call_trampolineNtNtCscz6eGwQ6Gn0_\
         14wasmtime_c_api5store17WasmtimeStoreDataNCINvB2_4wrapB1l_NCNvXsG_B6_NCINvNtNtCs8Gjie8eRGMP_13wasmtime_wasi\
         2p14sync36add_wasi_snapshot_preview1_to_linkerB1l_NtB2R_9WasiP1CtxNCNvNtB1p_6linker27wasmtime_linker_define\
         _wasi0E{disambiguator}0INtB6_8IntoFuncB1l_TINtB6_6CallerB1l_ElEINtNtCsevLNFiNqfJP_4core6result6ResultlNtNtNt\
         Csg0OatsoQjTt_22wasmtime_internal_core5error5error5ErrorEE9into_func0TlEB5U_E0EB1p_"
    )
}

#[test]
fn wasmtime_with_v0_mangling_is_named_by_the_number_of_the_closure() {
    let meaning = |mangled: &str| meaning("wasmtime", "v0 mangling", mangled);
    assert_eq!(meaning(&trampoline_v0("")), call("args_get"));
    assert_eq!(meaning(&trampoline_v0("s6_")), call("fd_close"));
    assert_eq!(meaning(&trampoline_v0("sC_")), call("sched_yield"));
}

/// The command line's trampolines, as they read demangled.
#[test]
fn closures_among_the_generic_arguments_are_not_the_function() {
    let variant = &Catalogue::bundled().runtimes[0].variants[0];
    let name = "<wasmtime::runtime::func::HostFunc>::array_call_trampoline::<wasmtime_cli::commands::run::Host, \
        <wasmtime::runtime::func::HostFunc>::wrap_async<wasmtime_cli::commands::run::Host, (i32,), \
        wasmtime_wasi::p1::wasi_snapshot_preview1::add_to_linker<wasmtime_cli::commands::run::Host, \
        wasmtime_wasi::p1::WasiP1Ctx, <wasmtime_cli::commands::run::RunCommand>::populate_with_wasi::{closure#2}>\
        ::{closure#26}>::{closure#0}>";
    assert_eq!(
        variant.rules[0].matches(name),
        Some(Function::named("fd_write"))
    );
}

#[test]
fn functions_that_mention_a_trampoline_are_not_trampolines() {
    let rule = &Catalogue::bundled().runtimes[0].variants[0].rules[0];
    let name = "wasmtime::runtime::vm::traphandlers::catch_unwind_and_record_trap::<bool, \
        <wasmtime::runtime::func::HostFunc>::array_call_trampoline::<T, \
        wasmtime_wasi::p1::wasi_snapshot_preview1::add_to_linker<T, U, f::{closure#0}>::{closure#26}>>";
    assert_eq!(rule.matches(name), None);
}

#[test]
fn wasmi_is_named_by_the_polls_of_wasi_common() {
    let meaning = |mangled: &str| meaning("wasmi", "wasi-common", mangled);
    let poll = "_ZN11wasi_common9snapshots9preview_1135_$LT$impl$u20$wasi_common..snapshots..preview_1\
        ..wasi_snapshot_preview1..WasiSnapshotPreview1$u20$for$u20$wasi_common..ctx..WasiCtx$GT$8fd_write\
        28_$u7b$$u7b$closure$u7d$$u7d$17h49653a9fbf7a9233E";
    assert_eq!(meaning(poll), name("fd_write"));
    let closure = "_ZN117_$LT$F$u20$as$u20$wasmi..func..into_func..IntoFunc$LT$T$C$$LP$wasmi..func..caller..Caller\
        $LT$T$GT$$C$$RP$$C$R$GT$$GT$9into_func28_$u7b$$u7b$closure$u7d$$u7d$17h305eb9feb469b7d0E";
    assert_eq!(meaning(closure), ENVELOPE);
    assert_eq!(
        meaning(&poll.replace(
            "28_$u7b$$u7b$closure$u7d$$u7d$",
            &"28_$u7b$$u7b$closure$u7d$$u7d$".repeat(2)
        )),
        None
    );
}

#[test]
fn wasmer_is_named_by_its_wasix_system_calls() {
    let meaning = |mangled: &str| meaning("wasmer", "wasmer_wasix", mangled);
    assert_eq!(
        meaning("_ZN12wasmer_wasix8syscalls4wasi7fd_read8fd_pread17h7210a36b60756d5eE"),
        name("fd_pread")
    );
    assert_eq!(
        meaning("_ZN12wasmer_wasix8syscalls5wasix11sched_yield11sched_yield17h7210a36b60756d5eE"),
        name("sched_yield")
    );
    assert_eq!(
        meaning("_ZN12wasmer_wasix8syscalls4wasi8fd_write17fd_write_internal17h7210a36b60756d5eE"),
        None
    );
    assert_eq!(
        meaning(
            "_ZN12wasmer_wasix8syscalls5wasix11sock_accept14sock_accept_v217h7210a36b60756d5eE"
        ),
        None
    );
    let wrapper = "_ZN6wasmer7backend3sys8entities8function18gen_fn_callback_s412func_wrapper17h0123456789abcdefE";
    assert_eq!(meaning(wrapper), ENVELOPE);
    assert_eq!(meaning(&format!("{wrapper}.llvm.123")), ENVELOPE);
}

#[test]
fn of_the_c_runtimes_only_the_46_functions_count() {
    let wamr = |name| meaning("wamr", "libc-wasi", name);
    assert_eq!(wamr("wasi_fd_write"), call("fd_write"));
    assert_eq!(wamr("wasi_args_set_defaults"), None);
    assert_eq!(wamr("wasi_sock_recv_from"), None);
    let node = |name| meaning("node", "uvwasi", name);
    assert_eq!(node("uvwasi_path_open"), call("path_open"));
    assert_eq!(node("uvwasi_fd_table_init"), None);
    assert_eq!(node("uvwasi_serdes_read_fd_t"), None);
    assert_eq!(node("uvwasi__malloc"), None);
    let wasm3 = |name| meaning("wasm3", "0.4", name);
    assert_eq!(wasm3("m3_wasi_unstable_fd_read"), call("fd_read"));
    assert_eq!(
        meaning("wasm3", "0.5 and later", "m3_wasi_generic_fd_read"),
        call("fd_read")
    );
}

#[test]
fn host_functions_of_wasmedge_are_named_by_their_class() {
    let meaning = |mangled: &str| meaning("wasmedge", "host functions", mangled);
    let body = |class: &str, arguments: &str| {
        format!("_ZN8WasmEdge4Host{class}4bodyERKNS_7Runtime12CallingFrameE{arguments}")
    };
    assert_eq!(meaning(&body("11WasiFdWrite", "ijjj")), call("fd_write"));
    assert_eq!(
        meaning(&body("13WasiFdReadDir", "ijjmj")),
        call("fd_readdir")
    );
    assert_eq!(meaning(&body("12WasiSockOpen", "iij")), None);
}

#[test]
fn callbacks_of_wabt_are_named_by_themselves() {
    let mangled = "_ZN12_GLOBAL__N_18fd_writeERN4wabt6interp6ThreadERKSt6vectorINS1_5ValueESaIS4_EERS6_PNS1_6RefPtrINS1_4TrapEEE";
    assert_eq!(meaning("wabt", "callbacks", mangled), call("fd_write"));
}

#[test]
fn functions_of_wazero_are_named_in_one_word() {
    let flags = "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1.fdFdstatSetFlagsFn";
    assert_eq!(
        meaning("wazero", "Go functions", flags),
        name("fd_fdstat_set_flags")
    );
    let exit = "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1.procExitFn";
    assert_eq!(meaning("wazero", "Go functions", exit), call("proc_exit"));
    assert_eq!(
        meaning("wazero", "Go functions", &format!("{flags}.func1")),
        None
    );
}
