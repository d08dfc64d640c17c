//! What an experiment ran on.

use std::ffi::CStr;

/// The kernel's release, the processor's model and how many of them there are.
pub fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Linux {}, {processors} x {}", release(), model())
}

fn release() -> String {
    // SAFETY: the structure is plain data, and its texts end with 0 when the call has filled it.
    unsafe {
        let mut names: libc::utsname = std::mem::zeroed();
        libc::uname(&mut names);
        CStr::from_ptr(names.release.as_ptr())
            .to_string_lossy()
            .into_owned()
    }
}

fn model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == "model name")
        .map_or_else(
            || "processor".to_owned(),
            |(_, model)| model.trim().to_owned(),
        )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_has_a_kernel_and_processors() {
        let text = super::describe();
        assert!(text.starts_with("Linux "), "{text}");
        assert!(text.contains(" x "), "{text}");
    }
}
