//! Reads the catalogue files of a folder. What they say decides where probes go, so that they are taken
//! only from those who are trusted.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::CatalogueError;

/// A catalogue file has some kilobytes.
const LONGEST: u64 = 1 << 20;

/// Write permission of the group or of others.
const OTHERS_WRITE: u32 = 0o022;

/// The files `*.toml` of a folder as `(path, text)`, sorted by name. The folder and the files must belong to
/// one of these users, and nobody else may be able to write to them.
///
/// # Errors
/// The folder or a file cannot be read, or could be somebody else's.
pub fn catalogue_files(
    folder: &Path,
    owners: &[u32],
) -> Result<Vec<(String, String)>, CatalogueError> {
    let failed = |source| CatalogueError::Read {
        path: folder.to_owned(),
        source,
    };
    trusted(folder, &folder.metadata().map_err(failed)?, owners)?;
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && !is_hidden
        {
            names.push(path);
        }
    }
    names.sort_unstable();
    let texts = names.into_iter().map(|path| {
        let text = text(&path, owners)?;
        Ok((path.display().to_string(), text))
    });
    texts.collect()
}

fn text(path: &Path, owners: &[u32]) -> Result<String, CatalogueError> {
    let failed = |source| CatalogueError::Read {
        path: path.to_owned(),
        source,
    };
    let refused = |what| CatalogueError::NotText {
        path: path.to_owned(),
        what,
    };
    // A pipe would block.
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
        .map_err(failed)?;
    // Of what was opened, not of what the name stands for by then.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    trusted(path, &metadata, owners)?;
    let mut text = String::new();
    match file.take(LONGEST + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > LONGEST => Err(refused("it has more than 1 MiB")),
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(refused("it is not UTF-8 text"))
        }
        Err(error) => Err(failed(error)),
    }
}

fn trusted(path: &Path, metadata: &Metadata, owners: &[u32]) -> Result<(), CatalogueError> {
    if !owners.contains(&metadata.uid()) {
        return Err(CatalogueError::Owner {
            path: path.to_owned(),
            owner: metadata.uid(),
        });
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(CatalogueError::Writable {
            path: path.to_owned(),
        });
    }
    Ok(())
}
