//! Inspects binaries that are built by code.

mod damage;
mod debug_files;
mod fixture;
mod go;
mod recognition;
mod routes;
