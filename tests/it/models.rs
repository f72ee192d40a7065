//! `mujaz models`.
