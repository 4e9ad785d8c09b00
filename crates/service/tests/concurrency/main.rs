//! Many at once in one project: what is acknowledged is there, what was deleted is gone, and the quota counts what is there.

mod books;
mod interleaved;
mod stress;
