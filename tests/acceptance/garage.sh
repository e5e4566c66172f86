#!/usr/bin/env bash
# garage.sh GARAGE PORT FOLDER KEY SECRET: Garage as one node that speaks S3 on PORT, with a key that may make buckets.
set -euo pipefail
garage=$1 port=$2 folder=$3 key=$4 secret=$5
rpc=$((port + 1))
mkdir -p "$folder"
cat >"$folder/garage.toml" <<CONF
metadata_dir = "$folder/meta"
data_dir = "$folder/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$rpc"
rpc_public_addr = "127.0.0.1:$rpc"
rpc_secret = "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$port"
root_domain = ".s3.localhost"
CONF
ask() { "$garage" -c "$folder/garage.toml" "$@"; }
"$garage" -c "$folder/garage.toml" server &
server=$!
trap 'kill $server 2>/dev/null; wait $server' EXIT
trap exit TERM INT
until ask status >/dev/null 2>&1; do sleep 0.2; kill -0 $server; done
node=$(ask node id -q)
ask layout assign -z here -c 10G "${node%%@*}"
ask layout apply --version 1
ask key import --yes -n duoku "$key" "$secret"
ask key allow --create-bucket "$key"
wait $server
