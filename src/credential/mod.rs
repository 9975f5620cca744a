//! What proves who somebody is, made anew: passwords, and a private CA with certificates that it signed.

mod authority;
mod password;

pub use authority::{Authority, Names, Signed};
pub use password::random;
