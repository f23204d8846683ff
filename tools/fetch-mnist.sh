#!/usr/bin/env bash
# Downloads the four files of MNIST, or of Fashion-MNIST, and verifies them. They stay compressed; train reads them so.
#
#   tools/fetch-mnist.sh [--fashion] [--mirror URL] [--checksums FILE] [FOLDER]
#
#   --fashion          Fashion-MNIST instead of MNIST
#   --mirror URL       the folder of the files, instead of the public mirror
#   --checksums FILE   the files' SHA-256, as sha256sum prints them, instead of the published ones
#   FOLDER             the destination; data/mnist or data/fashion-mnist by default
#
# Intact files are kept, and an interrupted transfer continues where it stopped.
set -euo pipefail

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

# The published files: LeCun, Cortes and Burges; Zalando Research.
mnist='
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609  train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c  train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6  t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6  t10k-labels-idx1-ubyte.gz'
fashion='
3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84  train-images-idx3-ubyte.gz
a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845  train-labels-idx1-ubyte.gz
346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073  t10k-images-idx3-ubyte.gz
67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5  t10k-labels-idx1-ubyte.gz'

preset=mnist
checksums=$mnist
mirror=https://storage.googleapis.com/cvdf-datasets/mnist
named_mirror='' named_checksums='' named_folder=''
while [ $# -gt 0 ]; do
  case $1 in
    --fashion)
      preset=fashion-mnist
      checksums=$fashion
      mirror=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
      ;;
    --mirror) named_mirror=${2:?--mirror needs a URL} && shift ;;
    --checksums) named_checksums=${2:?--checksums needs a file} && shift ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit ;;
    -*) die "unknown option '$1': expected --fashion, --mirror, --checksums or a folder" 2 ;;
    *)
      [ -z "$named_folder" ] || die "two folders, '$named_folder' and '$1': expected one" 2
      named_folder=$1
      ;;
  esac
  shift
done
mirror=${named_mirror:-$mirror} folder=${named_folder:-data/$preset}
if [ -n "$named_checksums" ]; then
  [ -r "$named_checksums" ] || die "--checksums: cannot read '$named_checksums'" 2
  checksums=$(<"$named_checksums")
fi

# fetch URL FILE: continues a partial file.
if command -v curl >/dev/null; then
  fetch() { curl --fail --location --silent --show-error --retry 3 --continue-at - --output "$2" "$1"; }
elif command -v wget >/dev/null; then
  fetch() { wget --quiet --tries=3 --continue --output-document="$2" "$1"; }
else
  die 'neither curl nor wget is installed: install one of them'
fi
verified() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }

mkdir -p "$folder" || die "cannot make the folder '$folder'"
for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte.gz; do
  sum=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' <<<"$checksums")
  [ -n "$sum" ] || die "--checksums: '$named_checksums' has no line for $name" 2
  file=$folder/$name part=$folder/$name.part url=${mirror%/}/$name
  if verified "$file" "$sum"; then
    echo "$file is there" >&2
    continue
  fi
  echo "fetching $url" >&2
  status=0
  if [ -f "$part" ]; then
    fetch "$url" "$part" || status=$?
    # curl's 33: the server cannot send only the rest; 22: it refuses, as for a part that is complete. After these, or
    # if the part is wrong, start again.
    if [ $status = 33 ] || [ $status = 22 ] || { [ $status = 0 ] && ! verified "$part" "$sum"; }; then rm "$part"; fi
  fi
  if [ ! -f "$part" ]; then
    status=0
    fetch "$url" "$part" || status=$?
  fi
  [ $status = 0 ] || die "cannot fetch $url; see above, or name another mirror with --mirror"
  if ! verified "$part" "$sum"; then
    found=$(sha256sum "$part" | cut -d ' ' -f 1)
    rm -f "$part"
    die "$url has the SHA-256 $found, expected $sum; name another mirror with --mirror"
  fi
  mv "$part" "$file"
done
echo "all four files are in $folder and verified; try: train --preset $preset --data-dir $folder" >&2
