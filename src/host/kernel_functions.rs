//! Functions of the kernel: what they take and return, from the kernel's BTF.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use ewapa_lang::host::{Field, RETURNED};
use libbpf_sys as bpf;

/// x86-64 passes so many arguments in registers, and kernels before 6.6 hand no others on.
const MOST_ARGUMENTS: usize = 6;

/// The functions of the kernel itself, without those of modules.
pub struct KernelFunctions(NonNull<bpf::btf>);

/// A function of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelFunction {
    /// Its number in the kernel's BTF.
    pub id: u32,
    /// What [`ewapa_lang::host::Host::parameters`] tells.
    pub fields: Vec<Field>,
}

/// `BTF_KIND_*`
mod kind {
    pub const INT: u32 = 1;
    pub const POINTER: u32 = 2;
    pub const STRUCTURE: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUMERATION: u32 = 6;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNCTION: u32 = 12;
    pub const PROTOTYPE: u32 = 13;
    pub const TYPE_TAG: u32 = 18;
    pub const WIDE_ENUMERATION: u32 = 19;
}

impl KernelFunctions {
    /// Reads the kernel's BTF.
    ///
    /// # Errors
    /// The kernel has none.
    pub fn read() -> Result<KernelFunctions, String> {
        // SAFETY: libbpf gives an object that is ours, or null.
        let btf = unsafe { bpf::btf__load_vmlinux_btf() };
        NonNull::new(btf).map(KernelFunctions).ok_or_else(|| {
            "the kernel does not describe its functions: /sys/kernel/btf/vmlinux cannot be read"
                .to_owned()
        })
    }

    /// A function.
    ///
    /// # Errors
    /// There is none of this name, or its arguments do not stand in words of their own: why.
    pub fn find(&self, name: &str) -> Result<KernelFunction, String> {
        let unknown = || {
            let known = self.names();
            let near = ewapa_lang::nearest(name, known.iter().map(String::as_str));
            match near {
                Some(near) => {
                    format!("this kernel describes no function `{name}`; did you mean `{near}`?")
                }
                None => format!(
                    "this kernel describes no function `{name}`; those of modules, and some others, are watched with `kprobe:{name}`"
                ),
            }
        };
        let id = self.id_of(name).ok_or_else(unknown)?;
        let prototype = self
            .read_type(id)
            .and_then(|function| self.read_type(function.size_or_type))
            .filter(|prototype| prototype.kind == kind::PROTOTYPE)
            .ok_or_else(unknown)?;
        let refused = |why: &str| {
            Err(format!(
                "`{name}` {why}, which `fentry` and `fexit` do not take; `kprobe:{name}` watches it"
            ))
        };
        let parameters = &prototype.parameters;
        // The `...` of C is a parameter without a name and a type.
        if parameters.last().is_some_and(|last| last.ty == 0) {
            return refused("takes as many arguments as it is given");
        }
        if parameters.len() > MOST_ARGUMENTS {
            return refused(&format!(
                "takes {} arguments, more than {MOST_ARGUMENTS}",
                parameters.len()
            ));
        }
        let mut fields = Vec::new();
        for parameter in parameters {
            match self.field(parameter.name.clone(), parameter.ty, fields.len()) {
                Some(field) => fields.push(field),
                None => {
                    return refused(&format!(
                        "takes `{}` as a structure or another value that is no number",
                        parameter.name
                    ));
                }
            }
        }
        // 0 is void.
        if prototype.size_or_type != 0 {
            let name = RETURNED.to_owned();
            match self.field(name, prototype.size_or_type, fields.len()) {
                Some(field) => fields.push(field),
                None => return refused("returns a structure or another value that is no number"),
            }
        }
        Ok(KernelFunction { id, fields })
    }

    /// The functions that it describes, sorted.
    pub fn names(&self) -> Vec<String> {
        // SAFETY: the object lives.
        let end = unsafe { bpf::btf__type_cnt(self.0.as_ptr()) };
        let mut names: Vec<String> = (1..end)
            .filter_map(|id| {
                // SAFETY: the object lives as long as `self`; only its header is read, which every type has.
                let ty = unsafe { bpf::btf__type_by_id(self.0.as_ptr(), id).as_ref()? };
                (ty.info >> 24 & 0x1f == kind::FUNCTION).then(|| self.name(ty.name_off))
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A number or an address in a word of the context; none for anything else.
    fn field(&self, name: String, id: u32, index: usize) -> Option<Field> {
        let mut ty = self.read_type(id)?;
        let mut shown = String::new();
        while matches!(
            ty.kind,
            kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG
        ) {
            if shown.is_empty() && ty.kind == kind::TYPEDEF {
                shown.clone_from(&ty.name);
            }
            ty = self.read_type(ty.size_or_type)?;
        }
        let (size, signed) = match ty.kind {
            kind::POINTER => (8, false),
            kind::INT => (ty.size_or_type, ty.is_signed),
            // Constants below 0 are what makes an enumeration signed.
            kind::ENUMERATION | kind::WIDE_ENUMERATION => (ty.size_or_type, ty.has_flag),
            _ => return None,
        };
        if ty.kind == kind::POINTER {
            shown = format!("{}*", self.pointed(ty.size_or_type));
        } else if shown.is_empty() {
            shown = ty.name;
        }
        matches!(size, 1 | 2 | 4 | 8).then_some(Field {
            name,
            ty: shown,
            offset: 8 * u16::try_from(index).ok()?,
            size: size as u16,
            signed,
        })
    }

    /// What a pointer points to, as C has it, and a space behind it.
    fn pointed(&self, mut id: u32) -> String {
        while let Some(ty) = self.read_type(id) {
            match ty.kind {
                kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = ty.size_or_type;
                }
                kind::STRUCTURE => return format!("struct {} ", ty.name),
                kind::UNION => return format!("union {} ", ty.name),
                kind::ENUMERATION | kind::WIDE_ENUMERATION => return format!("enum {} ", ty.name),
                kind::INT | kind::TYPEDEF => return format!("{} ", ty.name),
                _ => break,
            }
        }
        "void ".to_owned()
    }

    fn id_of(&self, name: &str) -> Option<u32> {
        let name = CString::new(name).ok()?;
        // SAFETY: the object lives; the name is a C string.
        let id =
            unsafe { bpf::btf__find_by_name_kind(self.0.as_ptr(), name.as_ptr(), kind::FUNCTION) };
        u32::try_from(id).ok()
    }

    /// A type; none for void and for numbers that no type has.
    fn read_type(&self, id: u32) -> Option<Type> {
        /// `BTF_INT_SIGNED`
        const SIGNED: u32 = 1;
        if id == 0 {
            return None;
        }
        // SAFETY: the object lives as long as `self`, and what is read of it is copied. libbpf has checked it: behind
        // a type of kind int stands a word, and behind a prototype as many parameters as it says.
        unsafe {
            let ty = bpf::btf__type_by_id(self.0.as_ptr(), id).as_ref()?;
            let behind = std::ptr::from_ref(ty).add(1);
            let kind = ty.info >> 24 & 0x1f;
            let parameters: &[bpf::btf_param] = if kind == kind::PROTOTYPE {
                std::slice::from_raw_parts(behind.cast(), (ty.info & 0xffff) as usize)
            } else {
                &[]
            };
            let encoding = || behind.cast::<u32>().read() >> 24 & 0xf;
            Some(Type {
                kind,
                has_flag: ty.info >> 31 == 1,
                is_signed: kind == kind::INT && encoding() & SIGNED != 0,
                size_or_type: ty.__bindgen_anon_1.size,
                name: self.name(ty.name_off),
                parameters: parameters
                    .iter()
                    .map(|parameter| Parameter {
                        name: self.name(parameter.name_off),
                        ty: parameter.type_,
                    })
                    .collect(),
            })
        }
    }

    fn name(&self, offset: u32) -> String {
        // SAFETY: the object lives; libbpf gives a C string in it, or null.
        unsafe {
            let name = bpf::btf__name_by_offset(self.0.as_ptr(), offset);
            if name.is_null() {
                return String::new();
            }
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

impl Drop for KernelFunctions {
    fn drop(&mut self) {
        // SAFETY: the object is ours and no longer used.
        unsafe { bpf::btf__free(self.0.as_ptr()) };
    }
}

/// `struct btf_type`, and what follows it.
struct Type {
    kind: u32,
    has_flag: bool,
    is_signed: bool,
    /// The bytes of a number, or the type that this one is made of, as its kind has it.
    size_or_type: u32,
    name: String,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: String,
    ty: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(function: &str) -> Vec<String> {
        let functions = KernelFunctions::read().expect("a kernel with BTF");
        let found = functions.find(function).expect("a function");
        assert!(found.id > 0);
        found
            .fields
            .iter()
            .map(|field| {
                format!(
                    "{} {} {} {} {}",
                    field.ty, field.name, field.offset, field.size, field.signed
                )
            })
            .collect()
    }

    #[test]
    fn a_function_has_its_arguments_and_what_it_returns() {
        assert_eq!(
            shown("vfs_write"),
            [
                "struct file * file 0 8 false",
                "char * buf 8 8 false",
                "size_t count 16 8 false",
                "loff_t * pos 24 8 false",
                "ssize_t return 32 8 true",
            ]
        );
        let fsync = shown("vfs_fsync");
        assert_eq!(
            fsync,
            [
                "struct file * file 0 8 false",
                "int datasync 8 4 true",
                "int return 16 4 true"
            ]
        );
    }

    #[test]
    fn a_function_without_a_result_has_none() {
        assert_eq!(shown("fput"), ["struct file * file 0 8 false"]);
    }

    #[test]
    fn functions_whose_arguments_are_elsewhere_are_refused_by_name() {
        let functions = KernelFunctions::read().expect("a kernel with BTF");
        let why = |function: &str| functions.find(function).expect_err("no such function");
        assert!(why("vfs_wriet").contains("no function `vfs_wriet`"));
        assert!(why("_printk").contains("as many arguments as it is given"));
    }
}
