//! `cargo xtask dist`: one stripped archive with the binary, the licence and the README.

use std::{fs, path::Path, process::Command};

use crate::{
    needs,
    run::{self, Done, cargo, print, root, step},
};

/// Builds the archive; with `prove`, starts it in a bare Debian folder without compiler, Node or network.
pub(crate) fn run(prove: bool) -> Done {
    step("build", || run::run(&mut cargo(&["build", "--profile", "dist", "--package", "takt"])))?;
    let name = format!("takt-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let out = root().join("target/dist-archive");
    let folder = out.join(&name);
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    for (from, to) in [("target/dist/takt", "takt"), ("LICENSE", "LICENSE"), ("README.md", "README.md")] {
        fs::copy(root().join(from), folder.join(to)).map_err(|e| format!("cannot copy {from}: {e}"))?;
    }
    let archive = out.join(format!("{name}.tar.gz"));
    run::run(Command::new("tar").arg("-C").arg(&out).arg("-czf").arg(&archive).arg(&name))?;
    let bytes = fs::metadata(&archive).map(|m| m.len()).unwrap_or_default();
    print(&format!("{} ({:.1} MB)", archive.display(), bytes as f64 / 1e6));
    if prove { step("bare Debian", || prove_in_bare_debian(&archive)) } else { Ok(()) }
}

/// Unpacks the archive into a fresh minimal Debian and serves a new project there, without a network.
fn prove_in_bare_debian(archive: &Path) -> Done {
    if Command::new("debootstrap").arg("--version").output().is_err() {
        needs::apt("debootstrap", &["debootstrap"])?;
    }
    let debian = root().join("target/bare-debian");
    if !debian.join("bin/sh").exists() {
        let mut command = Command::new("debootstrap");
        command.args(["--variant=minbase", "bookworm"]).arg(&debian).args(mirror());
        run::run(&mut command)?;
    }
    run::run(Command::new("tar").arg("-C").arg(debian.join("opt")).arg("-xzf").arg(archive))?;
    let script = debian.join("prove.sh");
    fs::write(&script, PROOF).map_err(|e| format!("cannot write {}: {e}", script.display()))?;
    run::run(
        Command::new("unshare")
            .args(["--net", "--mount"])
            .arg("chroot")
            .arg(&debian)
            .args(["/bin/bash", "/prove.sh"]),
    )
}

/// Where this machine's own apt gets the release from; nothing for debootstrap's default.
fn mirror() -> Option<String> {
    let targets =
        Command::new("apt-get").args(["indextargets", "--format", "$(SITE) $(RELEASE)"]).output().ok()?;
    let text = String::from_utf8(targets.stdout).ok()?;
    let site = text.lines().find_map(|line| line.strip_suffix(" bookworm"))?;
    Some(site.to_owned())
}

/// Without curl: bash itself asks for the page.
const PROOF: &str = r#"set -eu
ip=127.0.0.1; port=8123
export PATH="$PATH:/usr/sbin:/sbin" HOME=/root
for tool in cc node curl; do if command -v $tool >/dev/null; then echo "this Debian is not bare: $tool"; exit 1; fi; done
mount -t proc proc /proc 2>/dev/null || true
# A fresh network namespace has its loopback down; without iproute2 an ioctl by perl brings it up.
perl -e 'require "sys/ioctl.ph" if 0; socket(S,2,2,0); $r=pack("a16 s","lo",1); ioctl(S,0x8914,$r) or die $!;'
rm -rf /tmp/proof; cd /tmp
begun=$(date +%s%N)
/opt/takt-*/takt new proof --template empty
/opt/takt-*/takt serve proof --listen $ip:$port > serve.log 2>&1 & server=$!
for i in $(seq 100); do
  if { exec 3<>/dev/tcp/$ip/$port; } 2>/dev/null; then break; fi; sleep 0.1
done
printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r line <&3
took=$(( ($(date +%s%N) - begun) / 1000000 ))
kill $server; wait $server
echo "answered '$(echo $line | tr -d '\r')' after $took ms from unpacked archive and takt new"
case "$line" in *200*) ;; *) cat serve.log; exit 1;; esac
test $took -lt 10000
"#;
