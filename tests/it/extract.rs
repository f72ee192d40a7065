//! `mujaz extract`.
