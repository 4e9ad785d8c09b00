//! The operations that are measured, what a Harbor does of each, and so what is asked of Berth.
//! Harbor's figures belong to the machine that [`MACHINE`] names: on another one only the ratios mean something.

/// Where and how Harbor's figures were taken.
pub const MACHINE: &str = "marks: multiples of what Harbor 2.16.0 (core, registry, PostgreSQL, Redis) does with the same fill on 2 cores that also run \
    the client, with a session and 100 connections; with Basic it does 18 requests/s of any kind";
/// The number of connections that the marks are for.
pub const CONNECTIONS: usize = 100;
/// Milliseconds within which 95 of 100 answers must come.
pub const P95: f64 = 25.0;
/// Repositories per second while filling; Harbor: 2.
pub const FILLING: f64 = 40.0;

/// How many times better than Harbor Berth is to be.
const TIMES: f64 = 10.0;
/// The same for lists that are slow there.
const TIMES_SLOW: f64 = 40.0;

/// An operation.
pub struct Operation {
    /// Its name in the table.
    pub name: &'static str,
    /// Lua that gives the path of one request.
    pub path: &'static str,
    /// Requests per second of Harbor.
    harbor: f64,
    mark: Mark,
}

/// How a mark comes about.
enum Mark {
    /// [`TIMES`] Harbor.
    Usual,
    /// [`TIMES_SLOW`] Harbor.
    Slow,
    /// A number of its own.
    Own(f64),
}

impl Operation {
    /// Requests per second that Berth is to answer.
    pub fn mark(&self) -> f64 {
        match self.mark {
            Mark::Usual => TIMES * self.harbor,
            Mark::Slow => TIMES_SLOW * self.harbor,
            Mark::Own(mark) => mark,
        }
    }
}

const fn operation(name: &'static str, harbor: f64, mark: Mark, path: &'static str) -> Operation {
    Operation { name, path, harbor, mark }
}

/// All of them. The Lua knows the sizes (`P`, `R`, `A`, `T`, `U`), `n(k)`, a number below `k`, and `api`, `project()`, `repository()` and `tag()`.
pub const OPERATIONS: &[Operation] = &[
    operation("get-v2", 422.0, Mark::Own(20_000.0), r#""/v2/""#),
    operation("catalog", 723.0, Mark::Usual, r#""/v2/_catalog?n=100""#),
    operation("project", 1404.0, Mark::Usual, r#"api .. "/projects/" .. project()"#),
    operation("projects", 127.0, Mark::Slow, r#"api .. "/projects?page_size=15&page=" .. (n(math.max(1, math.floor(P / 15))) + 1)"#),
    operation("repository", 1887.0, Mark::Usual, "repository()"),
    operation("repositories", 851.0, Mark::Usual, r#"api .. "/projects/" .. project() .. "/repositories?page_size=15""#),
    operation("artifact-by-tag", 789.0, Mark::Usual, r#"repository() .. "/artifacts/" .. tag() .. "?" .. flags"#),
    operation("artifacts", 273.0, Mark::Slow, r#"repository() .. "/artifacts?page_size=15&" .. flags"#),
    operation("tags", 1519.0, Mark::Usual, r#"repository() .. "/artifacts/" .. tag() .. "/tags?page_size=15""#),
    operation("members", 1434.0, Mark::Usual, r#"api .. "/projects/" .. project() .. "/members?page_size=15""#),
    operation("users", 2104.0, Mark::Usual, r#"api .. "/users?page_size=15""#),
    operation("user-search", 2126.0, Mark::Usual, r#"api .. "/users/search?username=bench00""#),
    operation("quotas", 374.0, Mark::Usual, r#"api .. "/quotas?page_size=15""#),
    operation("audit", 1222.0, Mark::Usual, r#"api .. "/auditlog-exts?page_size=15""#),
    operation("project-log", 1549.0, Mark::Usual, r#"api .. "/projects/" .. project() .. "/auditlog-exts?page_size=15""#),
    operation("search", 96.0, Mark::Slow, r#"api .. "/search?q=bench" .. string.format("%03d", n(math.max(1, math.floor(P / 10))))"#),
    operation("statistics", 1125.0, Mark::Usual, r#"api .. "/statistics""#),
];

#[cfg(test)]
mod tests {
    use super::OPERATIONS;

    #[test]
    fn marks_are_multiples_of_what_harbor_does() {
        let of = |name| OPERATIONS.iter().find(|o| o.name == name).unwrap().mark();
        assert_eq!([of("get-v2"), of("projects"), of("users")], [20_000.0, 5080.0, 21_040.0]);
        assert_eq!(OPERATIONS.len(), 17);
    }
}
