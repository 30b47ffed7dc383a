#!/bin/sh
# TensorFlow.js 4.22.0 (backend cpu, Node 20): where a window of `avgPool` with
# 'same' padding reaches over the border, its mean is of the pixels that are
# there, but its gradient is that of a whole window.
#
# Seen with ones of 3 x 3, windows of 2 x 2 and strides of 2: the four means are
# 1; all nine numbers of the gradient are 0.25, where right are 0.25 in the
# first window, 0.5 in two, and 1 in the last one, of one pixel.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
node - <<'END'
const assert = require('assert');
const tf = require('@tensorflow/tfjs');

const pool = x => tf.avgPool(x, 2, 2, 'same');
const means = [...pool(tf.ones([1, 3, 3, 1])).dataSync()];
const gradient = tf.grad(x => tf.sum(pool(x)));
const slopes = [...gradient(tf.ones([1, 3, 3, 1])).dataSync()];
console.log('means', means, 'gradient', slopes);
assert.deepEqual(means, [1, 1, 1, 1]);
assert.deepEqual(slopes, Array(9).fill(0.25));
END
