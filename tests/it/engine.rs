//! `mujaz engine`.
