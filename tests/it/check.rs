//! `mujaz check`.
