#!/bin/sh
# TensorFlow.js 4.22.0 (backend cpu, Node 20): a dropout layer with a seed drops
# the same units in each step of a training, so that some are never trained and
# it is no dropout. In Keras in Python, the seed begins a sequence of masks.
#
# Seen: `dropout({rate: 0.5, seed: 1})` gives 2, 0, 0, 2, 0, 0, 0, 0 for ones in
# each of 20 calls; without a seed the masks differ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund \
    @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
    @tensorflow/tfjs-layers@4.22.0
node - <<'END'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const layers = require('@tensorflow/tfjs-layers').layers;

function masks(options) {
    const layer = layers.dropout({rate: 0.5, ...options});
    const found = new Set();
    for (let i = 0; i < 20; i++) {
        const y = layer.apply(tf.ones([64]), {training: true});
        found.add(y.dataSync().join());
    }
    return found.size;
}

const [seeded, free] = [masks({seed: 1}), masks({})];
console.log('masks of 20 calls: with a seed', seeded, 'without', free);
assert.equal(seeded, 1);
assert.ok(free > 1);
END
