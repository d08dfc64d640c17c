use ewapa_lang::plan::BinaryOp::{Eq, Gt};
use ewapa_lang::plan::{
    Action, Clause, Event, Plan, RawKind, RawProbe, SlotKind, StoreId, VariableId,
};
use ewapa_lang::types::Type;
use ewapa_templates::{ENTER, EVENT, LEAVE, PHASE, SYSCALL, WASI};
use expect_test::expect;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol};

use super::run::compile;
use super::terms::{
    Grouping, HISTOGRAM, block, count, count_in, counting, delete, every_call, field, grouping,
    int, messages, negate, not, op, plan, probe, slot, slot_if, table, tell,
};
use crate::program::{ALONE, RawProgram};
use crate::{elf, link};

const BTF_FUNC: u32 = 12;

fn linked(plan: &Plan) -> Vec<u8> {
    let object = elf::write(&compile(plan)).expect("an object");
    link::link(WASI, &object).expect("an object that links with the template")
}

fn plans() -> Vec<Plan> {
    let every_slot = vec![
        count(),
        slot(SlotKind::Values, field("bytes")),
        slot(SlotKind::Sum, field("bytes")),
        slot(SlotKind::SumOfSquares, field("duration")),
        slot_if(SlotKind::Min, field("duration"), field("ok")),
        slot_if(SlotKind::Max, field("duration"), not(field("ok"))),
        slot(HISTOGRAM, field("duration")),
    ];
    let stores = [
        grouping(Vec::new(), every_slot.clone()),
        grouping(vec![op(field("fd"), Eq, int(1))], every_slot.clone()),
        grouping(
            vec![negate(field("fd"))],
            vec![slot(HISTOGRAM, field("pid")); 5],
        ),
    ];
    let filtered = Clause {
        filter: Some(op(field("fd"), Gt, int(2))),
        event: Event::Wasi(vec![probe(&["fd_read"])]),
        ..every_call(stores[1].record(1))
    };
    vec![
        counting(every_call(count_in(0))),
        table(vec![field("func"), field("comm")], every_slot.clone()),
        plan(
            vec![
                every_call(stores[0].record(0)),
                filtered,
                every_call(stores[2].record(2)),
            ],
            stores.iter().map(Grouping::store).collect(),
        ),
        plan(Vec::new(), Vec::new()),
        blocks(),
    ]
}

/// A plan with a ring buffer, a shared map and events that are no calls.
fn blocks() -> Plan {
    let last = grouping(
        vec![field("comm")],
        vec![slot(SlotKind::Last, field("duration"))],
    );
    let actions = vec![
        last.record(0),
        tell(0, vec![field("comm"), field("fd")]),
        delete(0, vec![field("comm")]),
    ];
    let at_the_end = Clause {
        event: Event::End,
        ..block(0, vec![tell(1, Vec::new())])
    };
    Plan {
        messages: messages(&[&[Type::Text(16), Type::Int], &[]]),
        ..plan(vec![block(0, actions), at_the_end], vec![last.store()])
    }
}

#[test]
fn only_a_program_with_messages_has_a_ring_buffer_for_them() {
    for plan in plans() {
        let object = linked(&plan);
        let elf: ElfFile64<'_> = ElfFile64::parse(object.as_slice()).expect("an ELF object");
        let has_one = elf.symbols().any(|symbol| symbol.name() == Ok("messages"));
        assert_eq!(has_one, !plan.messages.is_empty());
    }
}

/// The names of the functions that a plan's program has.
fn functions(plan: &Plan) -> Vec<String> {
    let functions = compile(plan).functions.into_iter();
    let names: Vec<String> = functions.map(|function| function.name).collect();
    for name in [ENTER, LEAVE, SYSCALL, PHASE, EVENT] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    names
}

/// The functions in `.BTF`: the name and the linkage, 0 if it is static.
fn btf_functions(object: &[u8]) -> Vec<(String, u32)> {
    let elf: ElfFile64<'_> = ElfFile64::parse(object).expect("an ELF object");
    let btf = elf
        .section_by_name(".BTF")
        .expect("a .BTF section")
        .data()
        .expect("its contents");
    let word = |at: usize| u32::from_ne_bytes(btf[at..at + 4].try_into().expect("four bytes"));
    let (types, size, strings) = (word(4) + word(8), word(12), (word(4) + word(16)) as usize);
    let mut found = Vec::new();
    let mut at = types as usize;
    while at < (types + size) as usize {
        let (name, info) = (strings + word(at) as usize, word(at + 4));
        let (kind, vlen) = (info >> 24 & 0x1f, info & 0xffff);
        if kind == BTF_FUNC {
            let name = btf[name..]
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default();
            found.push((String::from_utf8_lossy(name).into_owned(), vlen));
        }
        // Documentation/bpf/btf.rst
        let rest = match kind {
            1 | 14 | 17 => 4,
            3 => 12,
            4 | 5 | 15 | 19 => 12 * vlen,
            6 | 13 => 8 * vlen,
            _ => 0,
        };
        at += 12 + rest as usize;
    }
    found
}

#[test]
fn programs_link_with_the_template() {
    for plan in plans() {
        assert!(!linked(&plan).is_empty());
    }
}

#[test]
fn every_symbol_of_the_linked_object_is_defined() {
    for plan in plans() {
        let object = linked(&plan);
        let elf: ElfFile64<'_> = ElfFile64::parse(object.as_slice()).expect("an ELF object");
        // The first symbol of an ELF object is the null symbol.
        let undefined = elf
            .symbols()
            .filter(|symbol| symbol.is_undefined() && symbol.name() != Ok(""));
        assert_eq!(
            undefined
                .map(|symbol| symbol.name().unwrap_or("?").to_owned())
                .collect::<Vec<_>>(),
            Vec::<String>::new()
        );
        let defined = |name: &str| {
            elf.symbols()
                .any(|symbol| symbol.name() == Ok(name) && symbol.is_definition())
        };
        for name in functions(&plan) {
            assert!(defined(&name), "{name}");
        }
    }
}

#[test]
fn the_maps_of_a_program_are_in_the_linked_object() {
    for plan in plans() {
        let program = compile(&plan);
        let object = linked(&plan);
        let elf: ElfFile64<'_> = ElfFile64::parse(object.as_slice()).expect("an ELF object");
        let maps = elf
            .section_by_name(".maps")
            .expect("a section of maps")
            .index();
        for name in program
            .stores
            .iter()
            .map(|store| store.map.as_str())
            .chain(["zeros", "counters"])
            .chain(program.messages.first().map(|_| "messages"))
        {
            let symbol = elf
                .symbols()
                .find(|symbol| symbol.name() == Ok(name))
                .expect("a symbol for each map");
            assert_eq!(symbol.section_index(), Some(maps), "{name}");
        }
    }
}

#[test]
fn generated_functions_are_static_but_for_those_that_are_checked_alone() {
    for plan in plans() {
        let found = btf_functions(&linked(&plan));
        for name in functions(&plan) {
            let linkages: Vec<u32> = found
                .iter()
                .filter(|(known, _)| *known == name)
                .map(|(_, linkage)| *linkage)
                .collect();
            let global = u32::from(name.starts_with(ALONE));
            assert_eq!(linkages, [global], "{name}");
        }
    }
}

#[test]
fn a_program_can_be_read() {
    let filter = op(field("duration"), Gt, int(1000));
    let slots = vec![count(), slot(SlotKind::Max, field("bytes"))];
    let calls = grouping(vec![field("fd")], slots);
    let clause = Clause {
        event: Event::Wasi(vec![probe(&["fd_write"])]),
        filter: Some(filter),
        ..every_call(calls.record(0))
    };
    let program = compile(&plan(vec![clause], vec![calls.store()]));
    expect![[r#"
        map store_0: HashByCpu, key 16 bytes, value 16 bytes, at most 65536 rows

        ewapa_enter: ; filter at entry
            0: r6 = r1
            1: r1 = *(u64 *)(r6 + 0)
            2: r2 = 67108864
            3: r2 >>= r1
            4: r2 &= 1
            5: if r2 != 0 goto 7
            6: goto 8
            7: goto 10
            8: r0 = 0
            9: exit
           10: r0 = 1
           11: exit

        ewapa_leave: ; action at the end
            0: r6 = r1
            1: r1 = r6
            2: call alone_0
            3: r0 = 0
            4: exit

        ewapa_syscall: ; system calls
            0: r0 = 0
            1: exit

        ewapa_phase: ; phases
            0: r0 = 0
            1: exit

        ewapa_event: ; other events
            0: r0 = 0
            1: exit

        alone_0: ; block 1
            0: if r1 == 0 goto 79
            1: *(u64 *)(r10 - 24) = 0
            2: r6 = r1
            3: r1 = *(u64 *)(r6 + 0)
            4: r2 = 67108864
            5: r2 >>= r1
            6: r2 &= 1
            7: if r2 != 0 goto 9
            8: goto 79
            9: r0 = *(u64 *)(r6 + 64)
           10: r1 = 1000
           11: if r0 s<= r1 goto 79
           12: call helper#8
           13: *(u64 *)(r10 - 16) = r0
           14: r1 = *(u64 *)(r6 + 56)
           15: r2 = 0x8000000000000000 ll
           17: if r1 == r2 goto 20
           18: r0 = *(u64 *)(r6 + 56)
           19: goto 22
           20: r0 = 0x8000000000000000 ll
           22: *(u64 *)(r10 - 8) = r0
           23: r1 = map store_0
           25: r2 = r10
           26: r2 += -16
           27: call helper#1
           28: if r0 != 0 goto 49
           29: *(u64 *)(r10 - 24) = 0
           30: r1 = map zeros
           32: r2 = r10
           33: r2 += -24
           34: call helper#1
           35: if r0 == 0 goto 70
           36: r3 = r0
           37: r1 = map store_0
           39: r2 = r10
           40: r2 += -16
           41: r4 = 1
           42: call helper#2
           43: r1 = map store_0
           45: r2 = r10
           46: r2 += -16
           47: call helper#1
           48: if r0 == 0 goto 70
           49: r7 = r0
           50: r1 = 1
           51: lock *(u64 *)(r7 + 0) += r1
           52: r1 = *(u64 *)(r6 + 120)
           53: r2 = 0x8000000000000000 ll
           55: if r1 == r2 goto 69
           56: r0 = *(u64 *)(r6 + 120)
           57: r1 = 0x8000000000000000 ll
           59: r0 ^= r1
           60: r2 = r0
           61: r0 = *(u64 *)(r7 + 8)
           62: r3 = 0
           63: if r0 >= r2 goto 69
           64: r1 = r0
           65: r0 = atomic_cmpxchg(*(u64 *)(r7 + 8), r0, r2)
           66: if r0 == r1 goto 69
           67: r3 += 1
           68: if r3 < 8 goto 63
           69: goto 79
           70: *(u64 *)(r10 - 24) = 4
           71: r1 = map counters
           73: r2 = r10
           74: r2 += -24
           75: call helper#1
           76: if r0 == 0 goto 79
           77: r1 = 1
           78: lock *(u64 *)(r0 + 0) += r1
           79: r0 = 0
           80: exit
    "#]]
    .assert_eq(&program.to_string());
}

/// A raw probe whose clause goes through a map.
fn raw() -> Plan {
    let last = grouping(vec![field("fd")], vec![slot(SlotKind::Last, field("pid"))]);
    let through = Action::ForEach {
        store: StoreId(0),
        keys: vec![Some(VariableId(0))],
        slots: vec![None],
        body: vec![Action::Break],
    };
    let probe = RawProbe::Uprobe {
        path: "libc".to_owned(),
        function: "malloc".to_owned(),
        offset: 0,
        returns: false,
    };
    let clause = Clause {
        event: Event::Raw(vec![probe]),
        ..block(1, vec![last.record(0), through])
    };
    plan(vec![clause], vec![last.store()])
}

#[test]
fn the_programs_of_raw_probes_and_their_loops_are_found_by_the_loader() {
    let plan = raw();
    let program = compile(&plan);
    assert_eq!(
        program.raw,
        [RawProgram {
            name: "raw_0".to_owned(),
            clause: 0,
            kind: RawKind::Function,
        }]
    );
    let mut object = aya_obj::Object::parse(&linked(&plan)).expect("an object");
    let sections = object
        .functions
        .keys()
        .map(|(section, _)| *section)
        .collect();
    object
        .relocate_calls(&sections)
        .expect("calls that are relocated");
    let raw = &object.programs["raw_0"];
    assert!(matches!(
        raw.section,
        aya_obj::ProgramSection::UProbe { sleepable: false }
    ));
    let function = &object.functions[&raw.function_key()];
    let insns = &function.instructions;
    // What the kernel calls for each row begins with saving its last argument: r9 = r4.
    let begins = insns
        .iter()
        .position(|insn| insn.code == 0xbf && insn.dst_reg() == 9 && insn.src_reg() == 4);
    let taken = insns
        .iter()
        .position(|insn| insn.code == 0x18 && insn.src_reg() == 4);
    let taken = taken.expect("the address of a function");
    let target = taken as i32 + 1 + insns[taken].imm;
    assert_eq!(begins, usize::try_from(target).ok());
    // Each function has its BTF and a line: the program, what it calls of the template and the script.
    assert!(function.func_info.func_info.len() >= 5);
    assert!(function.line_info.line_info.len() >= 5);
}
