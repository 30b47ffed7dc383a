# MXNet for GPUs that pip's wheels hold no code for (Hopper: H100, H200): this
# package beside the MXNet 1.9.1 of NVIDIA's last container of it.
#
#     docker build --tag d2l_vgg .
#     docker run --rm -it --gpus all --ipc=host d2l_vgg d2l-vgg doctor
FROM nvcr.io/nvidia/mxnet:24.06-py3
WORKDIR /d2l_vgg
COPY . .
# Neither a wheel of MXNet nor another NumPy comes over those that are here
RUN numpy=$(python -c 'import numpy; print(numpy.__version__)') && \
    python -m pip install --no-deps d2l==1.0.3 && \
    python -m pip install --editable '.[mxnet-needs]' 'ipython<9' \
        "numpy==$numpy"
