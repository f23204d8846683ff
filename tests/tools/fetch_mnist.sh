#!/usr/bin/env bash
# tools/fetch-mnist.sh against a local server: what it downloads, keeps, continues and rejects.
#
#   tests/tools/fetch_mnist.sh SOURCE
set -euo pipefail
for program in curl python3 sha256sum; do
  command -v $program >/dev/null || { echo "skipped: there is no $program"; exit 77; }
done
script=$1/tools/fetch-mnist.sh
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  printf 'fetch_mnist: %s\n' "$1" >&2
  [ ! -f log ] || cat log >&2
  exit 1
}

mkdir mirror
for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte.gz; do seq 100 | sed "s/^/$name /" | gzip >"mirror/$name"; done
(cd mirror && sha256sum ./*.gz | sed 's, \./, ,') >sums

# A server on a free port, which it writes to a file, and that can send the rest of a file alone.
python3 - >port 2>requests <<'SERVER' &
import functools, http.server, os, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            return self.send_error(404)
        data = open(path, "rb").read()
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        sys.stderr.write("sent %s from %d\n" % (os.path.basename(path), start))
        sys.stderr.flush()
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        self.end_headers()
        self.wfile.write(data[start:])
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory="mirror"))
print(server.server_port, flush=True)
server.serve_forever()
SERVER
server=$!
for _ in $(seq 100); do
  [ ! -s port ] || break
  sleep 0.1
done
[ -s port ] || { echo 'skipped: no server on the loopback interface'; exit 77; }
mirror=http://127.0.0.1:$(cat port)
fetch() { env no_proxy=127.0.0.1 "$script" --mirror "$mirror" "$@" >log 2>&1; }
requests() { grep -c "^sent" requests || true; }

fetch --checksums sums data || fail 'could not fetch'
cmp mirror data 2>/dev/null || diff -r mirror data || fail 'fetched other files'
[ "$(requests)" = 4 ] || fail 'expected one request for each file'

fetch --checksums sums data || fail 'could not do it again'
[ "$(requests)" = 4 ] || fail 'fetched what was there'

# An interrupted transfer continues; a damaged file, or the start of another one, is downloaded again.
head -c 100 data/t10k-images-idx3-ubyte.gz >data/t10k-images-idx3-ubyte.gz.part
rm data/t10k-images-idx3-ubyte.gz
echo x >>data/t10k-labels-idx1-ubyte.gz
rm data/train-labels-idx1-ubyte.gz
printf 'another file' >data/train-labels-idx1-ubyte.gz.part
fetch --checksums sums data || fail 'could not repair'
diff -r mirror data || fail 'repaired to other files'
grep -q 'sent t10k-images-idx3-ubyte.gz from 100' requests || fail 'did not go on where it stopped'

# What is published is not what this server has.
! fetch published || fail 'took files with other checksums'
grep -q 'SHA-256 .* expected 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609' log || fail 'no reason'
[ -z "$(ls published)" ] || fail 'left a file that is wrong'
! fetch --fashion published || fail 'took files with other checksums'
grep -q 'expected 3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84' log || fail 'not those of fashion'

# Mistakes.
! fetch --checksums sums --mirror "$mirror/nowhere" none || fail 'fetched from nowhere'
grep -q "cannot fetch $mirror/nowhere/train-images" log || fail 'did not name the URL'
for mistake in '--bogus' 'a b' '--checksums absent'; do
  # shellcheck disable=SC2086
  status=0 && fetch $mistake || status=$?
  [ $status = 2 ] || fail "$mistake: code $status"
done

# The program's own message knows the same checksums.
for sum in $(grep -o '[0-9a-f]\{64\}' "$script"); do
  grep -q "$sum" "$1/datasets/images.cpp" || fail "datasets/images.cpp lacks $sum"
done
