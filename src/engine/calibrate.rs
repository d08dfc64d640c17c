//! Measures what a probe costs here: the time of an empty function with and without a probe on it.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ewapa_templates::{Cookie, Role};

use super::attach::{Point, Probes};

// A function that begins with an instruction that the kernel emulates, as most probe sites do.
std::arch::global_asm!(
    ".p2align 4",
    ".globl ewapa_calibration",
    ".type ewapa_calibration,@function",
    "ewapa_calibration:",
    "push rbp",
    "pop rbp",
    "ret",
    ".size ewapa_calibration, . - ewapa_calibration",
);

unsafe extern "C" {
    fn ewapa_calibration();
}

/// Calls of one sample.
const CALLS: u32 = 64;

/// Samples; their median counts.
const SAMPLES: usize = 15;

/// Measures [`probe_cost`] in a thread of its own, beside the run.
pub fn start(probes: Arc<Probes>) -> mpsc::Receiver<Duration> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || probe_cost(&probes, &sender));
    receiver
}

/// The cost of one call's entry and return probes, without what the script does with it. Nothing is
/// sent if it cannot be measured: it is only told, no number is corrected by it.
///
/// The calling process has to be among those traced: else its probes end early.
fn probe_cost(probes: &Probes, result: &mpsc::Sender<Duration>) -> Option<()> {
    let this = procfs_offset(ewapa_calibration as *const () as usize as u64)?;
    let bare = sample();
    // An envelope without a name: it is opened and closed, and no script sees it.
    let cookie = Cookie {
        func: Cookie::NONE,
        role: Role::Envelope,
        fd_arg: Cookie::NONE,
        moved_arg: Cookie::NONE,
        abi: 0,
        runtime: 0,
    };
    let point = Point {
        offset: this,
        cookie: cookie.to_u64(),
        returns: true,
    };
    let links = probes.attach(Path::new("/proc/self/exe"), &[point]).ok()?;
    let probed = sample();
    // Before the links go: that takes longer than all of this. Nobody may listen any more.
    let _ = result.send(probed.saturating_sub(bare));
    drop(links);
    Some(())
}

fn sample() -> Duration {
    let mut samples: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                // SAFETY: the function touches nothing but its own stack slot.
                unsafe { ewapa_calibration() };
            }
            start.elapsed() / CALLS
        })
        .collect();
    samples.sort_unstable();
    samples[SAMPLES / 2]
}

/// The offset in the executable's file of an address in this process.
fn procfs_offset(address: u64) -> Option<u64> {
    let maps = super::maps::executable_mappings(std::process::id()).ok()?;
    let mapping = maps
        .iter()
        .find(|mapping| mapping.addresses.contains(&address))?;
    Some(address - mapping.addresses.start + mapping.file_offset)
}
