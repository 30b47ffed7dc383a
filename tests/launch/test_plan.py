"""What each process of a training is told, on hosts that are not there."""

import json

import pytest

from d2l_vgg.launch import plan
from d2l_vgg.launch.hosts import Host, here
from d2l_vgg.training.workers import LISTENS

# An address of documentation, by RFC 5737, and a name that is never found
HOSTS = [Host('192.0.2.1', 1), Host('host.invalid', 2)]


def told(roles, name):
    return [role.environment.get(name) for role in roles]


def test_the_workers_and_their_places():
    roles = plan.plan(HOSTS, 'torch', None)
    assert told(roles, 'RANK') == [0, 1, 2]
    assert told(roles, 'LOCAL_RANK') == [0, 0, 1]
    assert told(roles, 'LOCAL_WORLD_SIZE') == [1, 2, 2]
    assert told(roles, 'WORLD_SIZE') == [3, 3, 3]
    assert told(roles, 'MASTER_ADDR') == ['192.0.2.1'] * 3
    assert told(roles, 'MASTER_PORT') == [29500] * 3
    assert told(roles, LISTENS) == [1, 0, 0]
    assert [role.host for role in roles] == [HOSTS[0], HOSTS[1], HOSTS[1]]
    assert [role.shown for role in roles] == [True, False, False]


def test_the_store_of_mxnet():
    roles = plan.plan(HOSTS, 'mxnet', 4000)
    scheduler, *servers = roles[:3]
    assert scheduler.host == HOSTS[0]
    assert [server.host for server in servers] == HOSTS
    assert told(roles, 'DMLC_ROLE') == [
        *('scheduler', 'server', 'server'),
        *(None, None, None),
    ]
    assert told(roles, LISTENS) == [1, 0, 0, 0, 0, 0]
    assert set(told(roles, 'DMLC_PS_ROOT_URI')) == {'192.0.2.1'}
    assert set(told(roles, 'DMLC_PS_ROOT_PORT')) == {4000}
    assert set(told(roles, 'DMLC_NUM_WORKER')) == {3}
    assert set(told(roles, 'DMLC_NUM_SERVER')) == {2}


def test_the_addresses_of_tensorflow():
    roles = plan.plan(HOSTS, 'tensorflow', 4000)
    for i, text in enumerate(told(roles, 'TF_CONFIG')):
        config = json.loads(text)
        assert config['task'] == {'type': 'worker', 'index': i}
        assert config['cluster']['worker'] == [
            *('192.0.2.1:4000', 'host.invalid:4001', 'host.invalid:4002')
        ]


def test_free_ports_here():
    (text, _) = told(plan.plan(here(2), 'tensorflow', None), 'TF_CONFIG')
    one, other = json.loads(text)['cluster']['worker']
    assert one != other
    ports = {
        plan.plan(here(1), 'torch', None)[0].environment['MASTER_PORT']
        for _ in range(5)
    }
    assert plan.PORT not in ports or len(ports) > 1


def test_ports_above_all():
    with pytest.raises(ValueError, match='choose one up to 65533'):
        plan.plan(HOSTS, 'tensorflow', 65534)
    assert plan.plan(HOSTS, 'tensorflow', 65533)


@pytest.mark.parametrize('name', ['host.invalid', 'a..b'])
def test_a_host_without_an_address(name):
    with pytest.raises(OSError, match=f'The host {name} cannot be found'):
        plan.plan([Host(name, 2)], 'mxnet', None)
