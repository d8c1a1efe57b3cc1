from channels.layers import get_channel_layer


async def test_a_quiet_socket_is_not_ended_by_the_layers_own_timeout():
    layer = get_channel_layer()
    wait = layer.connection(0).connection_pool.connection_kwargs["socket_timeout"]
    assert wait > layer.brpop_timeout, "reading must wait longer than the layer asks the server to"
